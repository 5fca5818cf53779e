/**
 * Preloaded before an example, to simulate input that takes over an image decoder or a YAML parser.
 * When the decoder or parser is called, it attacks files, programs and ports. The last argument
 * names the targets as JSON. It prints the outcomes to stderr, before the restriction and inside
 * it.
 */
import { outcome, outcomeOf } from "../inside.ts";
import { readFileSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";

/** The targets of the attack. */
export interface Targets {
  readonly secret: string;
  readonly port: number;
}

const { secret, port } = JSON.parse(process.argv.pop()!) as Targets;

function attempts() {
  return {
    read: outcome(() => readFileSync(secret)),
    create: outcome(() => writeFileSync(`${secret}-${Bun.nanoseconds()}`, "")),
    execute: outcome(() => Bun.spawnSync(["/bin/true"], { stdin: "inherit" })),
    listen: outcome(() =>
      Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } }).stop(),
    ),
    signal: outcome(() => process.kill(process.ppid, 0)),
  };
}

/** Attacks that involve other threads. */
async function lateAttempts() {
  return {
    readInPool: await outcomeOf(() => readFile(secret)),
    readAsBlob: await outcomeOf(() => Bun.file(secret).text()),
    decode: await outcomeOf(() => new Bun.Image(secret).metadata()),
    connect: await outcomeOf(async () =>
      (await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } })).end(),
    ),
  };
}

type Attempts = ReturnType<typeof attempts> & Partial<Awaited<ReturnType<typeof lateAttempts>>>;

/** The printed outcomes. */
export interface Printed {
  readonly before: Attempts;
  readonly inside: Attempts;
}

const before = { ...attempts(), ...(await lateAttempts()) };

const decode = Bun.Image.prototype.bytes;
Bun.Image.prototype.bytes = async function () {
  const inside = { ...attempts(), ...(await lateAttempts()) };
  console.error(JSON.stringify({ before, inside } satisfies Printed));
  return decode.call(this);
};

const { parse } = Bun.YAML;
Bun.YAML.parse = (text) => {
  console.error(JSON.stringify({ before, inside: attempts() } satisfies Printed));
  return parse(text);
};
