/** A server drops its rights in the middle of its work. */
import { expect } from "bun:test";
import { inSubprocess, testFromAbi } from "../harness.ts";
import { insidePath, places } from "./confinement.ts";

const clients = insidePath("clients");

const loops = 50;
const requests = 4000;
const layers = 10;

testFromAbi(
  4,
  "restrict() ten times in a Bun.serve under load fails no request, kept alive or new",
  async () => {
    const seen = await inSubprocess(
      { ...places(), clients, loops, requests, layers },
      async ({ landlock, roDirs, outcomeOf }, args) => {
        let answered = 0;
        const file = `${args.granted}/file`;
        const server = Bun.serve({
          hostname: "127.0.0.1",
          port: 0,
          async fetch() {
            const text = await Bun.file(file).text();
            answered++;
            return new Response(text);
          },
        });
        const load = Bun.spawn(
          [process.execPath, args.clients, JSON.stringify([server.url, args.loops, args.requests])],
          { stdout: "pipe", stderr: "inherit" },
        );
        const lines = load.stdout.pipeThrough(new TextDecoderStream()).getReader();
        const up = (await lines.read()).value;
        const during: boolean[] = [];
        for (let layer = 1; layer <= args.layers; layer++) {
          const before = answered;
          landlock.V11.bestEffort().restrict(roDirs(args.granted));
          // The next layer comes after the server has answered some more, in the midst of it.
          while (answered < before + 100) await new Promise((go) => setImmediate(go));
          during.push(answered < args.requests);
        }
        let text = "";
        for (let part; !(part = await lines.read()).done;) text += part.value;
        const denied = await outcomeOf(() => Bun.file(`${args.other}/file`).text());
        return { up, during, tally: JSON.parse(text), denied };
      },
      { timeoutMs: 60_000 },
    );
    expect(seen).toEqual({
      up: "up\n",
      during: Array(layers).fill(true),
      tally: { "200 text": requests },
      denied: "EACCES",
    });
  },
  60_000,
);
