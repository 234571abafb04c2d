/** The frame of the shop's pages. */
import { html } from "hono/html";

type Html = ReturnType<typeof html>;

const STYLE = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 44rem; margin: 0 auto; padding: 1.5rem; }
  nav a { margin-right: 1rem; }
  form { display: flex; flex-wrap: wrap; gap: .75rem; align-items: end; }
  label { display: grid; font-size: .85rem; }
  input, button { font: inherit; padding: .35rem .6rem; }
  article { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
  h2 { font-size: 1.1rem; margin-bottom: .2rem; }
  .small { font-size: .85rem; opacity: .7; margin: 0; }
`;

export async function page(title: string, content: Html): Promise<Awaited<Html>> {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title}</title>
        <style>${STYLE}</style>
      </head>
      <body>
        <nav><a href="/">Shop</a><a href="/inbox">Inbox</a><a href="/reports">Reports</a><a href="/jobs/">Jobs</a></nav>
        <h1>${title}</h1>
        ${content}
      </body>
    </html>`;
}
