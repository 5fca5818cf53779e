/** UNIX sockets with a path: `resolve_unix`, and `make_sock` to create them. */
import { expect } from "bun:test";
import { inSubprocess, tempDir, testFromAbi } from "../harness.ts";

/** Uses sockets created before and after `restrictPaths(rwDirs(dir))`. */
function trySockets(type: number, granted: "dir" | "file" | "none") {
  return inSubprocess({ dir: tempDir(), type, granted }, async (inside, { dir, type, granted }) => {
    const { call, landlock, outcome, pathAccess, roDirs, rwDirs, unixAddress } = inside;
    const { closeSync } = await import("node:fs");
    const serve = (path: string) =>
      outcome(() => {
        const fd = call("socket", 1, type, 0);
        const address = unixAddress(path);
        call("bind", fd, address, address.length);
        if (type === 1) call("listen", fd, 8);
      });
    const use = (path: string) => {
      const address = unixAddress(path);
      const onSocket = (action: (fd: number) => void) =>
        outcome(() => {
          const fd = call("socket", 1, type, 0);
          try {
            action(fd);
          } finally {
            closeSync(fd);
          }
        });
      const connect = onSocket((fd) => call("connect", fd, address, address.length));
      if (type === 1) return { connect };
      const send = onSocket((fd) => call("sendto", fd, "text", 4n, 0, address, address.length));
      return { connect, send };
    };
    const outside = `${dir}/outside`;
    const connected = call("socket", 1, type, 0);
    const served = serve(outside);
    call("connect", connected, unixAddress(outside), unixAddress(outside).length);
    const before = { served, ...use(outside) };
    const rules = {
      none: [],
      dir: [roDirs(dir).withResolveUnix()],
      file: [pathAccess(["resolve_unix"], outside)],
    }[granted];
    landlock.V9.bestEffort().restrictPaths(rwDirs(dir), ...rules);
    return {
      before,
      outside: use(outside),
      inside: { served: serve(`${dir}/inside`), ...use(`${dir}/inside`) },
      connected: outcome(() => call("sendto", connected, "text", 4n, 0, null, 0)),
    };
  });
}

for (const [kind, type] of [
  ["stream", 1],
  ["datagram", 2],
] as const) {
  const all = (value: string) => ({ connect: value, ...(type === 2 && { send: value }) });
  for (const [rule, granted] of [
    ["without .withResolveUnix()", "none"],
    ["with .withResolveUnix() on the folder", "dir"],
    ["with resolve_unix on the socket", "file"],
  ] as const) {
    const name = `restrictPaths() ${rule} and ${kind} sockets made outside, and no others`;
    testFromAbi(9, name.replace(" and", granted === "none" ? " denies" : " allows"), async () => {
      expect((await trySockets(type, granted)) as object).toEqual({
        before: { served: "ok", ...all("ok") },
        outside: all(granted === "none" ? "EACCES" : "ok"),
        inside: { served: "ok", ...all("ok") },
        connected: "ok",
      });
    });
  }
}

testFromAbi(
  1,
  "restrictPaths() denies making a UNIX socket where make_sock is not granted",
  async () => {
    const dir = tempDir();
    const seen = await inSubprocess({ dir }, async (inside, { dir }) => {
      const { landlock, pathAccess, roDirs, outcome, outcomeOf } = inside;
      const { mkdirSync } = await import("node:fs");
      const { connect } = await import("node:net");
      for (const name of ["granted", "denied"]) mkdirSync(`${dir}/${name}`);
      const serve = (path: string) =>
        outcome(() => Bun.listen({ unix: path, socket: { data() {} } }));
      const use = (path: string) =>
        outcomeOf(
          () => new Promise((done, fail) => connect(path, () => done(0)).on("error", fail)),
        );
      const before = [serve(`${dir}/granted/old`), serve(`${dir}/denied/old`)];
      landlock.V1.restrictPaths(roDirs(dir), pathAccess(["make_sock"], `${dir}/granted`));
      return {
        before,
        after: [serve(`${dir}/granted/new`), serve(`${dir}/denied/new`)],
        used: [await use(`${dir}/denied/old`), await use(`${dir}/granted/new`)],
      };
    });
    expect(seen).toEqual({
      before: ["ok", "ok"],
      after: ["ok", "EACCES"],
      // Below ABI 9, and with V1 on any kernel, connecting is not restricted.
      used: ["ok", "ok"],
    });
  },
);
