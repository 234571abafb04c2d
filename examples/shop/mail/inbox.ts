/** Received mail as a folder of .eml files: what a customer's mailbox would hold. */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { token } from "nightshift";
import PostalMime from "postal-mime";

/** A received mail. */
export interface ReceivedMail {
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly at: string;
}

export const Inbox = token<Inbox>("Inbox");

/** The demo's mailbox. */
export interface Inbox {
  receive(message: Buffer): Promise<void>;
  /** The newest first. */
  list(limit: number): Promise<readonly ReceivedMail[]>;
  /** How many mails came in, and how many of them were not the first with their id. */
  count(): Promise<{ readonly received: number; readonly repeated: number }>;
}

/** An inbox in a folder. File names carry time and message id, so that counting reads no file. */
export function folderInbox(folder: string): Inbox {
  const names = async () => (await readdir(folder)).filter((name) => name.endsWith(".eml")).sort();
  return {
    async receive(message) {
      await mkdir(folder, { recursive: true });
      const { messageId } = await PostalMime.parse(message);
      const id = (messageId ?? randomUUID()).replace(/^<|@.*$/g, "").replaceAll(/[^\w.-]/g, "_");
      const name = `${Date.now()}~${randomUUID().slice(0, 8)}~${id}.eml`;
      // Written aside and renamed, so that a half-written file is never counted as a mail.
      await writeFile(join(folder, `${name}.part`), message, { flush: true });
      await rename(join(folder, `${name}.part`), join(folder, name));
    },
    async list(limit) {
      await mkdir(folder, { recursive: true });
      const newest = (await names()).reverse().slice(0, limit);
      return Promise.all(
        newest.map(async (name) => {
          const mail = await PostalMime.parse(await readFile(join(folder, name)));
          const at = new Date(Number(name.split("~")[0])).toISOString();
          const to = mail.to?.[0]?.address ?? "";
          return { id: name, to, subject: mail.subject ?? "", text: mail.text ?? "", at };
        }),
      );
    },
    async count() {
      await mkdir(folder, { recursive: true });
      const ids = (await names()).map((name) => name.split("~")[2]);
      return { received: ids.length, repeated: ids.length - new Set(ids).size };
    },
  };
}
