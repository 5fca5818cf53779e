/** The image converter on real images, and with a decoder that an attacker controls. */
import { expect } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toPng } from "../../src/examples/image-converter.ts";
import { kernelAbi, tempDir, testFromAbi } from "../harness.ts";
import type { Printed } from "./hostile-input.ts";
import { example } from "./programs.ts";

const [width, height] = [64, 48];

/** An uncompressed image: a header of 54 bytes, then blue, green and red of each pixel. */
function bitmap(): Uint8Array {
  const bytes = Buffer.alloc(54 + width * height * 3, 0);
  bytes.write("BM");
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(height, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  for (let i = 54; i < bytes.length; i++) bytes[i] = (i * 7) % 251;
  return bytes;
}

const images = {
  BMP: bitmap(),
  JPEG: await new Bun.Image(bitmap()).jpeg().bytes(),
  WebP: await new Bun.Image(bitmap()).webp().bytes(),
  PNG: await new Bun.Image(bitmap()).png().bytes(),
};

function convert(image: Uint8Array, options: string[] = [], args: string[] = []) {
  const command = [process.execPath, ...options, example("image-converter"), ...args];
  const { stdout, stderr, exitCode } = Bun.spawnSync(command, { stdin: image, timeout: 20_000 });
  return { stdout: new Uint8Array(stdout), stderr: stderr.toString(), exitCode };
}

for (const [format, image] of Object.entries(images)) {
  testFromAbi(
    1,
    `image-converter.ts makes of a ${format} the same PNG as without a sandbox`,
    async () => {
      const { stdout, stderr, exitCode } = convert(image);
      expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
      expect<Uint8Array>(stdout).toEqual(await toPng(image));
      expect(await new Bun.Image(stdout).metadata()).toEqual({ width, height, format: "png" });
    },
  );
}

testFromAbi(1, "image-converter.ts reads and writes files that a shell opens for it", async () => {
  const folder = tempDir();
  writeFileSync(join(folder, "in.jpg"), images.JPEG);
  const line = `"${process.execPath}" "${example("image-converter")}" <in.jpg >out.png`;
  expect(Bun.spawnSync(["sh", "-c", line], { cwd: folder }).exitCode).toBe(0);
  expect<Uint8Array>(await Bun.file(join(folder, "out.png")).bytes()).toEqual(
    await toPng(images.JPEG),
  );
});

testFromAbi(1, "image-converter.ts says what is no image, and what is cut off", async () => {
  for (const image of [new TextEncoder().encode("text"), images.PNG.subarray(0, 100)]) {
    const { stdout, stderr, exitCode } = convert(image);
    expect(stdout).toHaveLength(0);
    expect(stderr).toStartWith("Cannot convert this: ");
    expect(exitCode).toBe(1);
  }
});

testFromAbi(1, "a decoder that somebody has taken over reaches nothing", async () => {
  const folder = tempDir();
  const secret = join(folder, "secret.png");
  writeFileSync(secret, images.PNG);
  using server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const preload = join(import.meta.dir, "hostile-input.ts");
  const targets = JSON.stringify({ secret, port: server.port });
  const { stdout, stderr } = convert(images.JPEG, ["--preload", preload], [targets]);
  const seen = JSON.parse(stderr) as Printed;
  expect(new Set(Object.values(seen.before))).toEqual(new Set(["ok"]));
  expect(seen.inside).toEqual({
    read: "EACCES",
    readInPool: "EACCES",
    readAsBlob: "EACCES",
    decode: "EACCES",
    create: "EACCES",
    execute: "EACCES",
    listen: kernelAbi >= 4 ? "EACCES" : "ok",
    connect: kernelAbi >= 4 ? "EACCES" : "ok",
    signal: kernelAbi >= 6 ? "EPERM" : "ok",
  });
  // Only the file of the attempt before the restriction.
  expect(readdirSync(folder)).toHaveLength(2);
  expect<Uint8Array>(stdout).toEqual(await toPng(images.JPEG));
});
