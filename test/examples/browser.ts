/**
 * Uses the wiki in Chromium as a person would. wiki-browser.test.ts runs it in its own process, so
 * that the browser ends with it: `bun browser.ts URL CHROMIUM PROFILE SCREENSHOT`.
 */
const [url, chromium, directory, screenshot] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
];

const text = `# Shopping list

For the party, see [[Guests]].

| What   | How many |
| ------ | -------- |
| Bread  | 3        |
| Cheese | 1        |

- [x] ask \`everybody\`
- [ ] buy it

\`\`\`
landlock.V11.bestEffort().restrict()
\`\`\`
`;

const quiet = [
  "--no-sandbox",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

await using view = new Bun.WebView({
  width: 960,
  height: 640,
  backend: { type: "chrome", url: false, path: chromium, argv: quiet },
  dataStore: { directory },
});

/** Clicks, and waits until the next page has the expected content. */
async function follow(selector: string, wanted: string): Promise<void> {
  const found = `document.readyState === "complete" && !!document.querySelector("${wanted}")`;
  await view.click(selector);
  while (!(await view.evaluate<boolean>(found))) await Bun.sleep(10);
}

function mainText(): Promise<string> {
  return view.evaluate<string>("document.querySelector('main').innerText");
}

async function write(markdown: string): Promise<void> {
  await view.evaluate("document.querySelector('textarea').select()");
  await view.type(markdown);
  await follow("button", "footer");
}

await view.navigate(new URL("/Shopping", url).href);
const missing = await mainText();
await follow("footer a", "textarea");
await write(text);
const created = await mainText();
await Bun.write(screenshot, await view.screenshot());
await follow("footer a", "textarea");
await write("# Done\n");
const edited = await mainText();
await view.navigate(new URL("/..%2Fsecret", url).href);
const outside = await mainText();
const title = view.title;
console.log(JSON.stringify({ missing, created, edited, outside, title }));
