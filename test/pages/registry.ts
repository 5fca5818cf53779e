/** A local registry with the packed package and a tool to try. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { run, tempDir } from "../harness.ts";

/** Stands in for a well-known tool: prints its arguments and has no dependencies. */
const tool = {
  manifest: { name: "cowsay", version: "1.0.0", bin: { cowsay: "cli.js" } },
  code: '#!/usr/bin/env node\nconsole.log(process.argv.slice(2).join(" "));\n',
};

async function packTool(): Promise<string> {
  const folder = tempDir();
  mkdirSync(join(folder, "package"));
  await Bun.write(join(folder, "package", "package.json"), JSON.stringify(tool.manifest));
  await Bun.write(join(folder, "package", "cli.js"), tool.code);
  const archive = join(folder, "tool.tgz");
  const { code, stderr } = run(["tar", "-czf", archive, "package"], folder);
  if (code !== 0) throw new Error(stderr);
  return archive;
}

/**
 * Starts the registry.
 *
 * @param archive The packed package
 * @returns The server, for `NPM_CONFIG_REGISTRY`
 */
export async function startRegistry(archive: string) {
  const archives: Record<string, string> = { "bun-landlock": archive, cowsay: await packTool() };
  const manifestOf = async (name: string) => {
    const { stdout } = run(["tar", "-xzOf", archives[name]!, "package/package.json"], tempDir());
    return JSON.parse(stdout) as { name: string; version: string };
  };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch({ url }) {
      const { origin, pathname } = new URL(url);
      const [name = "", file] = pathname.slice(1).split("/");
      if (!Object.hasOwn(archives, name)) return new Response("unknown", { status: 404 });
      if (file !== undefined) return new Response(Bun.file(archives[name]!));
      const manifest = await manifestOf(name);
      const { version } = manifest;
      const dist = { tarball: `${origin}/${name}/${version}.tgz` };
      const versions = { [version]: { ...manifest, dist } };
      return Response.json({ name, versions, "dist-tags": { latest: version } });
    },
  });
  server.unref();
  return server;
}
