/**
 * Reads the audit log for tests. Records go to every socket of a multicast group
 * (`AUDIT_NLGRP_READLOG`), so the tests need no daemon and disturb none.
 */
import { dlopen, FFIType, ptr } from "bun:ffi";

const { i32, u32, u64, i64_fast, ptr: pointer } = FFIType;
const functions = {
  socket: { args: [i32, i32, i32], returns: i32 },
  bind: { args: [i32, pointer, u32], returns: i32 },
  send: { args: [i32, pointer, u64, i32], returns: i64_fast },
  recv: { args: [i32, pointer, u64, i32], returns: i64_fast },
  setsockopt: { args: [i32, i32, i32, pointer, u32], returns: i32 },
  close: { args: [i32], returns: i32 },
} as const;

// include/uapi/linux/netlink.h and audit.h
const [AF_NETLINK, SOCK_RAW, SOCK_CLOEXEC, NETLINK_AUDIT] = [16, 3, 0o2000000, 9];
const [NLM_F_REQUEST, NLM_F_ACK, headerBytes] = [1, 4, 16];
const [NLMSG_ERROR, AUDIT_GET, AUDIT_SET, AUDIT_LANDLOCK_ACCESS] = [2, 1000, 1001, 1423];
const [SOL_SOCKET, SO_RCVTIMEO] = [1, 20];
/** A message type that programs may send: `AUDIT_TEST`. */
const AUDIT_TEST = 1120;
/**
 * `struct audit_status`: its first two words say what to set and whether the kernel makes records.
 */
const AUDIT_STATUS_ENABLED = 1;

interface Message {
  readonly type: number;
  readonly body: Uint8Array;
}

/** The kernel makes records while this is open. */
export class AuditLog implements Disposable {
  readonly #libc = dlopen("libc.so.6", functions).symbols;
  readonly #commands: number;
  readonly #records: number;
  readonly #enabledBefore: number;
  #marks = 0;

  /** Fails if there is no audit log, or if this user may not read it. */
  constructor() {
    this.#commands = this.#open(0);
    this.#records = this.#open(1);
    this.#enabledBefore = this.#status();
    if (this.#enabledBefore === 0) this.#enable(1);
  }

  /** What Landlock denied since the last call, as `fs.read_file path="/a" dev="vda" ino=1`. */
  denials(): string[] {
    const mark = `mark ${process.pid} ${++this.#marks}`;
    // The kernel overwrites the last byte with NUL.
    this.#request(AUDIT_TEST, new TextEncoder().encode(`${mark}\0`));
    const found: string[] = [];
    for (;;) {
      const { type, body } = this.#receive(this.#records);
      const text = new TextDecoder().decode(body);
      if (type === AUDIT_TEST && text.includes(`${mark}'`)) return found;
      if (type === AUDIT_LANDLOCK_ACCESS) found.push(text.replace(/^.* blockers=/, ""));
    }
  }

  [Symbol.dispose](): void {
    if (this.#enabledBefore === 0) this.#enable(0);
    this.#libc.close(this.#commands);
    this.#libc.close(this.#records);
  }

  #open(groups: number): number {
    const fd = this.#libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
    const address = new Uint32Array([AF_NETLINK, 0, groups]);
    // struct timeval: a missing record must fail the test, not block it.
    const timeout = new BigInt64Array([10n, 0n]);
    if (
      fd < 0 ||
      this.#libc.bind(fd, ptr(address), address.byteLength) !== 0 ||
      this.#libc.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, ptr(timeout), 16) !== 0
    ) {
      throw new Error("there is no audit log that this user may read");
    }
    return fd;
  }

  #status(): number {
    this.#request(AUDIT_GET, new Uint8Array());
    const { type, body } = this.#receive(this.#commands);
    if (type !== AUDIT_GET) throw new Error(`AUDIT_GET was answered with ${type}`);
    return new DataView(body.buffer, body.byteOffset).getUint32(4, true);
  }

  #enable(enabled: number): void {
    const status = new Uint32Array(16);
    status.set([AUDIT_STATUS_ENABLED, enabled]);
    this.#request(AUDIT_SET, new Uint8Array(status.buffer));
  }

  /** Sends a request and waits for its acknowledgement. */
  #request(type: number, body: Uint8Array): void {
    const message = new Uint8Array(headerBytes + body.length);
    const view = new DataView(message.buffer);
    view.setUint32(0, message.length, true);
    view.setUint16(4, type, true);
    view.setUint16(6, NLM_F_REQUEST | NLM_F_ACK, true);
    message.set(body, headerBytes);
    if (this.#libc.send(this.#commands, ptr(message), message.length, 0) < 0) {
      throw new Error(`audit request ${type} cannot be sent`);
    }
    const { type: answer, body: error } = this.#receive(this.#commands);
    const code = new DataView(error.buffer, error.byteOffset).getInt32(0, true);
    if (answer !== NLMSG_ERROR || code !== 0) {
      throw new Error(`audit request ${type} failed with ${code}`);
    }
  }

  #receive(fd: number): Message {
    const buffer = new Uint8Array(16384);
    const length = Number(this.#libc.recv(fd, ptr(buffer), buffer.length, 0));
    if (length < headerBytes) throw new Error("a record of the audit log did not come");
    const type = new DataView(buffer.buffer).getUint16(4, true);
    return { type, body: buffer.subarray(headerBytes, length) };
  }
}
