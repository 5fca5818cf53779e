/** The environment that the process was started with. */
import { LandlockError } from "../errors/errors.ts";
import { readFile } from "../kernel/syscalls.ts";

/**
 * Runs it without the variables that Bun has read out of `.env` files by now: these belong to the
 * program, which must not choose its own policy, nor what a variable of the policy or a preset
 * stands for.
 *
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if `/proc/self/environ` cannot be read; and as it does
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
