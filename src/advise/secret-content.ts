/** Decides by a file's content whether it is a secret, if its name doesn't tell. */
import { closeSync, constants, openSync, readSync } from "node:fs";
import { fileName } from "../kernel/names.ts";
import { contentOf, statsOf } from "./stats.ts";

const password = /auth|token|password|secret|extraheader|:\/\/[^\s/@]+@/i;

/** The start of encrypted keys in DER: PKCS #5, `1.2.840.113549.1.5`. */
const pkcs5 = Buffer.from("2a864886f70d0105", "hex");

/**
 * Whether a file holds a private key, or may hold one.
 *
 * @param strict Whether a file counts as a key unless it clearly holds something else
 */
export function holdsKey(path: string, strict: boolean): boolean {
  const bytes = contentOf(path);
  if (bytes === undefined || bytes.includes("PRIVATE KEY") || isDerKey(bytes)) return true;
  return strict && !bytes.includes("-----BEGIN ");
}

/** The start of private keys in text, of SSH, TLS, PGP, PuTTY and age. */
const keyStart = /^\s*(-----BEGIN [A-Z0-9 ]*PRIVATE KEY|PuTTY-User-Key-File-|AGE-SECRET-KEY-1)/;

/** Whether a regular file of any name starts with a private key. */
export function startsWithKey(path: string): boolean {
  // Opening a device may act on it, and files of /proc never hold keys.
  if (/^\/(proc|sys|dev)\//.test(path) || !statsOf(path)?.isFile()) return false;
  try {
    const fd = openSync(fileName(path), constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const bytes = Buffer.alloc(64);
      return keyStart.test(bytes.toString("latin1", 0, readSync(fd, bytes, 0, bytes.length, 0)));
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
}

/** Whether an existing settings file holds a password or a token, or may hold one. */
export function holdsPassword(path: string): boolean {
  const bytes = contentOf(path);
  return bytes === undefined
    ? statsOf(path) !== undefined
    : password.test(bytes.toString("latin1"));
}

/**
 * Private keys start with their version, but certificates and public keys with another sequence.
 */
function isDerKey(bytes: Buffer): boolean {
  if (bytes[0] !== 0x30) return false;
  const long = bytes[1]! & 0x80 ? bytes[1]! & 0x7f : 0;
  const version = bytes.subarray(2 + long, 4 + long);
  if (version[0] === 0x02 && version[1] === 0x01) return true;
  return bytes.subarray(0, 32).includes(pkcs5);
}
