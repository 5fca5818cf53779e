/** Restores the environment that this process was started with. */
import { LandlockError } from "../errors/errors.ts";
import { readFile } from "../kernel/syscalls.ts";

/**
 * Runs an action without the variables that Bun has read from `.env` files. Those files belong to
 * the program, which must not choose its own policy or the values of variables in policies and
 * presets.
 *
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if `/proc/self/environ` can't be read; and the errors
 *   of the action
 */
export function asStarted<Result>(action: () => Result): Result {
  const path = "/proc/self/environ";
  const bytes = readFile(path);
  if (bytes === undefined) {
    const message = `Cannot tell which variables a .env file has set: ${path} cannot be read; mount /proc`;
    throw new LandlockError("ERR_LANDLOCK_PATH", message, { path });
  }
  const names = new Set<string>();
  for (const entry of new TextDecoder().decode(bytes).split("\0")) {
    names.add(entry.slice(0, entry.indexOf("=")));
  }
  const added: [name: string, value: string][] = [];
  for (const [name, value] of Object.entries(process.env)) {
    if (!names.has(name)) added.push([name, value!]);
  }
  for (const [name] of added) delete process.env[name];
  try {
    return action();
  } finally {
    for (const [name, value] of added) process.env[name] = value;
  }
}
