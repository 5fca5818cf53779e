/** Describes this machine. */
import { readFileSync } from "node:fs";
import { availableParallelism, loadavg, release } from "node:os";
import { probe } from "../../src/index.ts";
import type { Machine } from "./results.ts";

function field(file: string, pattern: RegExp): string {
  try {
    return readFileSync(file, "utf8").match(pattern)?.[1]?.trim() ?? "unknown";
  } catch {
    return "unknown";
  }
}

export function describeMachine(): Machine {
  return {
    cpu: field("/proc/cpuinfo", /^(?:model name|CPU part)\s*:(.*)$/m),
    cores: availableParallelism(),
    linux: release(),
    landlockAbi: probe().abi,
    distribution: field("/etc/os-release", /^PRETTY_NAME="?([^"\n]*)/m),
    bun: Bun.version,
    load: Number(loadavg()[0]!.toFixed(2)),
  };
}
