/**
 * Preloaded before an example, this stands for input that has taken over an image decoder or a
 * YAML parser: when one is called, it goes for files, programs and ports. The last argument tells
 * where, as JSON. It prints how that went, before the restriction and in there, to stderr.
 */
import { outcome, outcomeOf } from "../inside.ts";
import { readFileSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";

/** What there is to go for. */
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

/** Those that other threads have a part in. */
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

/** What it prints. */
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
