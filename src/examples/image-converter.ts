/**
 * The image converter of the go-landlock talk: any image on stdin, PNG on stdout.
 *
 *     bun src/examples/image-converter.ts <photo.jpg >photo.png
 *
 * Image decoders are written in C and read untrusted input. This one runs with nothing allowed,
 * because it only needs stdin and stdout, which are already open. Denied: every file, execution,
 * every port, and signals to other processes. An image that takes over the decoder can only spoil
 * its own output and use up time and memory.
 */
import { landlock } from "bun-landlock";

/** Converts JPEG, WebP, GIF, BMP and PNG. */
export async function toPng(image: Uint8Array): Promise<Uint8Array> {
  return await new Bun.Image(image, { maxPixels: 100_000_000 }).png().bytes();
}

if (import.meta.main) {
  // Untrusted input must not be decoded without a sandbox, so atLeast makes a missing one an error.
  landlock.V11.bestEffort({ atLeast: 1 }).restrict();
  try {
    await Bun.write(Bun.stdout, await toPng(await Bun.stdin.bytes()));
  } catch (error) {
    console.error(`Cannot convert this: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
