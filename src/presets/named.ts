/** Presets by name, for command lines and files. */
import { existsSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import { closest } from "../errors/closest.ts";
import { LandlockError } from "../errors/errors.ts";
import type { Rule } from "../sandbox/rule.ts";
import { dns } from "./dns.ts";
import { executable } from "./executable.ts";
import { modules } from "./modules.ts";
import { bun, cwd, timezone, tls, tmp } from "./system.ts";

/** Presets and what is behind their `=`: nothing, or one known word. */
const plain: Readonly<Record<string, () => Rule>> = {
  bun: () => bun(),
  "bun=children": () => bun({ children: true }),
  dns: () => dns(),
  "dns=ports": () => dns({ ports: true }),
  tls: () => tls(),
  timezone: () => timezone(),
  tmp: () => tmp(),
  cwd: () => cwd(),
  "cwd=write": () => cwd({ write: true }),
};

/** Presets that take a value, which may be relative to a folder. */
const valued: Readonly<Record<string, (value: string, base: string) => Rule>> = {
  executable: (name, base) => executable(name.includes("/") ? resolve(base, name) : name),
  modules: (entries, base) => {
    const isOne = existsSync(resolve(base, entries));
    const list = isOne ? [entries] : entries.split(",").filter((entry) => entry !== "");
    // The links that lead to the folder are the user's; those in it may be a stranger's.
    const folder = existsSync(base) ? realpathSync(base) : base;
    return modules(...list.map((entry) => resolve(folder, entry)));
  },
};

/**
 * The preset that a text names: its name, and behind `=` what it takes, as `"dns"`,
 * `"executable=git"`.
 *
 * @param base The folder that relative paths refer to
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` where there is no such preset, and as the
 *   preset does
 */
export function named(spec: string, base: string): Rule {
  if (Object.hasOwn(plain, spec)) return plain[spec]!();
  const [, name, value] = /^(\w+)=(.+)$/s.exec(spec) ?? [];
  if (name && value && Object.hasOwn(valued, name)) return valued[name]!(value, base);
  throw new LandlockError(
    "ERR_LANDLOCK_INVALID_RULE",
    `${JSON.stringify(spec)} is not a preset: ${nearestTo(spec)}`,
  );
}

/** What stands for a value in messages. */
const placeholders: Readonly<Record<string, string>> = { executable: "PROGRAM", modules: "FILE" };

/** What the text was probably meant to be, or else all that there is. */
function nearestTo(spec: string): string {
  const [name = "", ...value] = spec.split("=");
  const taking = closest(name, Object.keys(valued));
  const near =
    taking === undefined
      ? closest(spec, Object.keys(plain))
      : `${taking}=${value.join("=") || placeholders[taking]}`;
  return near === undefined
    ? `use one of ${Object.keys(plain).join(", ")}, executable=PROGRAM, modules=FILE`
    : `did you mean ${JSON.stringify(near)}?`;
}
