/**
 * The talk's image converter: any image on stdin, PNG on stdout.
 *
 *     bun src/examples/image-converter.ts <photo.jpg >photo.png
 *
 * Decoders are written in C and fed with what strangers made. This one runs with nothing allowed:
 * stdin and stdout are open already, and it needs no more. Denied: every file, executing, every
 * port, signals to other processes. An image that takes over the decoder can spoil its own
 * output, use up time and memory, and that is all.
 */
import { landlock } from "bun-landlock";

/** Converts JPEG, WebP, GIF, BMP and PNG. */
export async function toPng(image: Uint8Array): Promise<Uint8Array> {
  return await new Bun.Image(image, { maxPixels: 100_000_000 }).png().bytes();
}

if (import.meta.main) {
  // What strangers made is not decoded without a sandbox: atLeast makes that an error.
  landlock.V11.bestEffort({ atLeast: 1 }).restrict();
  try {
    await Bun.write(Bun.stdout, await toPng(await Bun.stdin.bytes()));
  } catch (error) {
    console.error(`Cannot convert this: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
