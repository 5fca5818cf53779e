/** Presets by name, for command lines and files. */
import { existsSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import { closest } from "../errors/closest.ts";
import { LandlockError } from "../errors/errors.ts";
import type { Rule } from "../sandbox/rules.ts";
import { keysOf, presetNames } from "../vocabulary.ts";
import { dns } from "./dns.ts";
import { executable } from "./executable.ts";
import { modules } from "./modules.ts";
import { bun, cwd, timezone, tls, tmp } from "./system.ts";

const plain = { bun, dns, tls, timezone, tmp, cwd } satisfies Record<string, () => Rule>;

/** The spellings of presets without a value: a name, or a name and its setting. */
const specs = keysOf(plain).flatMap((name) => {
  const { setting } = presetNames[name] as { setting?: string };
  return setting === undefined ? [name] : [name, `${name}=${setting}`];
});

/** Presets that take a value, which may be relative to a folder. */
const valued = {
  executable: (name: string, base: string) =>
    executable(name.includes("/") ? resolve(base, name) : name),
  modules: (entries: string, base: string) => {
    const isOne = existsSync(resolve(base, entries));
    const list = isOne ? [entries] : entries.split(",").filter((entry) => entry !== "");
    // Resolve the links that lead to the folder, since the user chose it. Links inside may come
    // from others.
    const folder = existsSync(base) ? realpathSync(base) : base;
    return modules(...list.map((entry) => resolve(folder, entry)));
  },
};

/**
 * The preset that a text names: its name, with its value after `=`, such as `"dns"` or
 * `"executable=git"`.
 *
 * @param base The folder that relative paths refer to
 * @throws {LandlockError} `ERR_LANDLOCK_INVALID_RULE` if there is no such preset; and the errors of
 *   the preset itself
 */
export function named(spec: string, base: string): Rule {
  const [, word = "", value] = /^(\w+)(?:=(.+))?$/s.exec(spec) ?? [];
  if (specs.includes(spec)) {
    const make: (settings?: Record<string, boolean>) => Rule = plain[word as keyof typeof plain];
    return make(value === undefined ? value : { [value]: true });
  }
  if (value !== undefined && Object.hasOwn(valued, word)) {
    return valued[word as keyof typeof valued](value, base);
  }
  throw new LandlockError(
    "ERR_LANDLOCK_INVALID_RULE",
    `${JSON.stringify(spec)} is not a preset: ${nearestTo(spec)}`,
  );
}

/** The most similar spelling, or all spellings if none is similar. */
function nearestTo(spec: string): string {
  const [name = "", ...value] = spec.split("=");
  const names = keysOf(valued);
  const taking = names.find((one) => one === closest(name, names));
  const near = taking
    ? `${taking}=${value.join("=") || presetNames[taking].value}`
    : closest(spec, specs);
  if (near !== undefined) return `did you mean ${JSON.stringify(near)}?`;
  const all = [...specs, ...names.map((one) => `${one}=${presetNames[one].value}`)];
  return `use one of ${all.join(", ")}`;
}
