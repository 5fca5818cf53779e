/** Embeds the native libraries as text in the bundles. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { src } from "./bundle.ts";

function base64(cpu: string): string {
  const file = join(src, "../lib/prebuilt", `linux-${cpu}`, "liblandlock.so");
  return JSON.stringify(readFileSync(file, "base64"));
}

/** Replaces `kernel/image.ts` by the libraries of `lib/prebuilt`. */
export const nativeText: Bun.BunPlugin = {
  name: "native text",
  setup(build) {
    build.onLoad({ filter: /\/kernel\/image\.ts$/ }, () => ({
      loader: "js",
      contents: `
        const arm64 = ${base64("arm64")};
        const x64 = ${base64("x64")};
        export const image = process.arch === "arm64" ? arm64 : x64;`,
    }));
  },
};
