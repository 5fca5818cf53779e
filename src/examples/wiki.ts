/**
 * A wiki: pages are Markdown files in one directory, and everyone who can reach it can edit them.
 *
 *     bun src/examples/wiki.ts --pages ./pages --port 8080
 *     bun src/examples/wiki.ts --pages ./pages --socket ./wiki.sock
 *
 * It starts to listen, then restricts itself before it handles the first request. Afterwards it can
 * read, create and write files in its pages directory, and answer on the port or socket that is
 * already open. Denied: every other file, executing anything, listening on another port,
 * connecting anywhere, and signals to other processes.
 *
 * The bug in `pathOf()` is intentional: `/..%2F..%2F..%2Fetc%2Fpasswd` names a file outside. The
 * kernel answers EACCES, so the bug doesn't become a vulnerability.
 */
import { mkdirSync, statSync, unlinkSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { landlock, pathAccess } from "bun-landlock";

const escape = Bun.escapeHTML;

const style = `
  :root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 20%, transparent); }
  body { font: 1rem/1.6 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1.5rem;
    display: grid; grid-template-columns: 11rem minmax(0, 1fr); gap: 0 2.5rem; }
  nav { border-right: 1px solid var(--line); padding-top: .5rem; }
  nav a { display: block; padding: .15rem 0; }
  a { color: light-dark(#0b5fa5, #7cbcf5); text-decoration: none; }
  a:hover { text-decoration: underline; }
  h1, h2, h3 { line-height: 1.2; }
  code, pre, textarea { font: .9rem/1.5 ui-monospace, monospace; }
  pre { border: 1px solid var(--line); border-radius: .4rem; overflow: auto; padding: .75rem 1rem; }
  .task-list-item { list-style: none; margin-left: -1.4rem; }
  .task-list-item-checkbox { margin: 0 .5rem 0 0; }
  table { border-collapse: collapse; }
  td, th { border: 1px solid var(--line); padding: .3rem .7rem; text-align: left; }
  textarea { box-sizing: border-box; min-height: 24rem; padding: .75rem; width: 100%; }
  button { font: inherit; margin-top: .75rem; padding: .3rem 1.2rem; }
  footer { border-top: 1px solid var(--line); margin-top: 2rem; padding-top: .75rem; }
  @media (max-width: 40rem) {
    body { display: block; }
    nav { border: 0; }
    nav a { display: inline-block; margin-right: 1rem; }
  }`;

const headers = {
  "Content-Type": "text/html; charset=utf-8",
  // Anybody may write pages, so their links must not run scripts.
  "Content-Security-Policy":
    "default-src 'none'; style-src 'unsafe-inline'; img-src *; form-action 'self'",
};

/** Contains the bug: a name with `../` leads out of the directory. */
function pathOf(pages: string, name: string): string {
  return join(pages, name);
}

function linkTo(name: string): string {
  return `<a href="/${encodeURIComponent(name)}">${escape(name)}</a>`;
}

function render(markdown: string): string {
  const html = Bun.markdown.html(markdown, {
    noHtmlBlocks: true,
    noHtmlSpans: true,
    autolinks: true,
    wikiLinks: true,
  });
  return new HTMLRewriter()
    .on("x-wikilink", {
      element(link) {
        const target = link.getAttribute("data-target") ?? "";
        link.tagName = "a";
        link.removeAttribute("data-target");
        link.setAttribute("href", `/${encodeURIComponent(target)}`);
      },
    })
    .transform(html);
}

async function page(pages: string, title: string, body: string, status = 200): Promise<Response> {
  const names = (await readdir(pages)).sort();
  return new Response(
    `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>${style}</style>
<nav>${names.map(linkTo).join("\n")}</nav>
<main>${body}</main>
</html>`,
    { status, headers },
  );
}

function editor(name: string, text: string): string {
  return `<h1>${escape(name)}</h1>
<form method="post" action="/${encodeURIComponent(name)}">
<textarea name="text" autofocus>
${escape(text)}</textarea>
<button>Save</button>
</form>`;
}

async function show(pages: string, name: string, edit: boolean): Promise<Response> {
  const file = Bun.file(pathOf(pages, name));
  const text = await file.text().catch((error: { code?: string }) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  const title = edit ? `Edit ${name}` : name;
  if (edit) return page(pages, title, editor(name, text ?? `# ${name}\n`));
  const editLink = `<a href="?edit">${text === undefined ? "Create" : "Edit"} this page</a>`;
  const body = text === undefined ? "<p>There is no such page yet.</p>" : render(text);
  const status = text === undefined ? 404 : 200;
  return page(pages, title, `${body}<footer>${editLink}</footer>`, status);
}

async function save(pages: string, name: string, request: Request): Promise<Response> {
  const text = String((await request.formData()).get("text") ?? "");
  await Bun.write(pathOf(pages, name), text.replaceAll("\r\n", "\n"));
  return Response.redirect(`/${encodeURIComponent(name)}`, 303);
}

/** Answers one request. If the kernel denies an access, the page names the error. */
export async function answer(request: Request, pages: string): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  try {
    const name = decodeURIComponent(pathname.slice(1)) || "Home";
    return request.method === "POST"
      ? await save(pages, name, request)
      : await show(pages, name, searchParams.has("edit"));
  } catch (error) {
    const reason = (error as { code?: string }).code ?? "bad request";
    return page(pages, "Not allowed", `<h1>Not allowed</h1><p>${escape(reason)}</p>`, 403);
  }
}

/** Where the wiki keeps its pages and listens. Port 0 is any free one. */
interface WikiOptions {
  readonly pages: string;
  readonly port?: number;
  readonly socket?: string;
}

/** Listens, then restricts this process to the pages. */
export function start({ pages, port = 8080, socket }: WikiOptions) {
  mkdirSync(pages, { recursive: true });
  // An earlier run could not remove its own socket, because it was in the sandbox.
  if (socket && statSync(socket, { throwIfNoEntry: false })?.isSocket()) unlinkSync(socket);
  const fetch = (request: Request) => answer(request, pages);
  const limits = { fetch, development: false, maxRequestBodySize: 1 << 20 };
  const server = socket
    ? Bun.serve({ unix: socket, ...limits })
    : Bun.serve({ hostname: "127.0.0.1", port, ...limits });
  const rights = ["read_file", "read_dir", "write_file", "truncate", "make_reg"] as const;
  const report = landlock.V11.bestEffort({ atLeast: 1 }).restrict(pathAccess(rights, pages));
  return { server, report };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      pages: { type: "string", default: "pages" },
      port: { type: "string", default: "8080" },
      socket: { type: "string" },
    },
  });
  const { pages, port, socket } = values;
  const { server, report } = start({
    pages: resolve(pages),
    port: Number(port),
    ...(socket === undefined ? {} : { socket }),
  });
  console.log(`${server.url} restricted: ${report.enforcement}`);
}
