/** The npm registry of this machine's own settings. */
import { tempDir } from "./harness.ts";

/** A real tool that is small and has no dependencies. */
export const tool = "semver@7.7.2";

const view = [process.execPath, "pm", "view", tool, "version"];
const reachable = Bun.spawnSync(view, { cwd: tempDir(), timeout: 15_000 }).exitCode === 0;

/** What is missing to install from it; empty if nothing. */
export const registryMissing = reachable ? "" : "needs a registry within reach";
