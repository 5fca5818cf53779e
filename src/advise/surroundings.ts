/** Looks up where a command will run, before it can change anything. */
import { tmpdir } from "node:os";
import { LandlockError } from "../errors/errors.ts";
import { currentDirectory, knownRealPath, realPath } from "../kernel/names.ts";
import { GoverningPlaces } from "./governing-places.ts";
import { Secrets } from "./secrets.ts";
import { isProject, type Surroundings } from "./zones.ts";

/**
 * The project, the home, their secrets, and the folder for temporary files.
 *
 * @throws {LandlockError} `ERR_LANDLOCK_PATH` if the current directory is gone, or HOME isn't UTF-8
 */
export function surroundings(): Surroundings {
  const HOME = process.env["HOME"];
  // Bun replaces bytes that aren't UTF-8.
  if (HOME?.includes("\ufffd")) {
    throw new LandlockError("ERR_LANDLOCK_PATH", "HOME is not UTF-8: set it to a path that is");
  }
  const home = HOME?.startsWith("/") ? knownRealPath(HOME) : undefined;
  const cwd = here();
  const project = isProject(cwd, home) ? cwd : undefined;
  const tmp = knownRealPath(tmpdir()) ?? "/tmp";
  const governing = new GoverningPlaces(home, project);
  return { home, project, secrets: new Secrets(home, project), governing, tmp };
}

function here(): string {
  try {
    return realPath(currentDirectory());
  } catch (cause) {
    throw new LandlockError(
      "ERR_LANDLOCK_PATH",
      "The current directory is gone: start in one that exists",
      { cause },
    );
  }
}
