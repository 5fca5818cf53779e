/** How a command ended, as an exit status. */
import type { Ending } from "../trace/observation.ts";

/** As the shells have it: 128 and the number of the signal that ended a command. */
const EXIT_SIGNAL = 128;

/** The exit status of a shell whose last command ended like that. */
export function exitStatusOf({ exitCode, signal }: Ending): number {
  if (signal === null) return exitCode ?? 0;
  const { constants } = require("node:os") as typeof import("node:os");
  return EXIT_SIGNAL + constants.signals[signal];
}
