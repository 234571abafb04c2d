/** Sends mail over SMTP. */
import { createTransport, type Transporter } from "nodemailer";

/** A mail, with an id of the caller's choice: the same id twice means the same mail sent twice, and shows in the inbox. */
export interface Mail {
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

export class Mailer implements Disposable {
  readonly #transport: Transporter;

  constructor(url: string) {
    this.#transport = createTransport({ url, pool: true, maxConnections: 5 } as object);
  }

  async send(mail: Mail, options: { readonly signal: AbortSignal }): Promise<void> {
    options.signal.throwIfAborted();
    await this.#transport.sendMail({
      from: "The Shop <shop@shop.example>",
      to: mail.to,
      subject: mail.subject,
      text: mail.text,
      messageId: `<${mail.id}@shop.example>`,
    });
  }

  [Symbol.dispose](): void {
    this.#transport.close();
  }
}
