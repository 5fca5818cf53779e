/** `presets.dns()`: look-ups by a loopback resolver, in a private network. */
import { expect } from "bun:test";
import { existsSync } from "node:fs";
import { moduleLibraries } from "../../src/presets/libraries.ts";
import { inSubprocess, kernelAbi, testFromAbi } from "../harness.ts";
import { testInNamespace, withFiles } from "./namespace.ts";

/** The rules: none, the files, or with every port restricted the files and the ports. */
type Granted = "nothing" | "files" | "ports";

/** Answers every query from outside the sandbox, and ends with the process that started it. */
const resolver = `
  await Bun.udpSocket({
    hostname: "127.0.0.53",
    port: 53,
    socket: {
      data(socket, query, port, address) {
        // The header and the question again; an answer of type A, class IN, a minute, 127.0.0.7.
        const end = query.indexOf(0, 12) + 5;
        const isA = query[end - 3] === 1;
        const head = new Uint8Array(query.subarray(0, end));
        head.set([0x81, 0x80, 0, 1, 0, isA ? 1 : 0, 0, 0, 0, 0], 2);
        const answer = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 7];
        socket.send(new Uint8Array([...head, ...(isA ? answer : [])]), port, address);
      },
    },
  });
  console.log("up");
  for await (const _ of Bun.stdin.stream());
  process.exit();`;

/**
 * Looks up names in every way Bun has. The resolver is not at 127.0.0.1, which every way would ask
 * without any settings.
 */
async function lookups(granted: Granted) {
  const files = {
    "/etc/resolv.conf": "nameserver 127.0.0.53\noptions timeout:1 attempts:2\n",
    "/etc/hosts": "127.0.0.1 localhost\n127.0.0.9 hosts.test\n",
    ...(existsSync("/etc/nsswitch.conf") ? { "/etc/nsswitch.conf": "hosts: files dns\n" } : {}),
  };
  const body = async (
    inside: typeof import("../inside.ts"),
    { granted, resolver }: { granted: Granted; resolver: string },
  ) => {
    const { call, connectTcp, landlock, presets } = inside;
    // SIOCSIFFLAGS with IFF_UP on lo, because it is down in a new network namespace.
    const request = new Uint8Array(40);
    request.set(new TextEncoder().encode("lo"));
    request[16] = 1;
    call("ioctl", call("socket", 2, 2, 0), 0x8914n, request);
    const child = Bun.spawn([process.execPath, "-e", resolver], { stdin: "pipe", stdout: "pipe" });
    await child.stdout.getReader().read();
    const server = Bun.serve({ hostname: "127.0.0.7", port: 0, fetch: () => new Response("hi") });
    const dns = await import("node:dns/promises");
    const config = landlock.V11.bestEffort();
    if (granted === "ports") {
      config.restrict(presets.dns({ ports: true }), connectTcp(server.port!));
    } else {
      config.restrictPaths(...(granted === "files" ? [presets.dns()] : []));
    }
    // The default time-out is half a minute.
    const resolve = new dns.Resolver({ timeout: 500, tries: 1 });
    const outcome = async (lookup: () => Promise<unknown>) => {
      try {
        return await lookup();
      } catch (error) {
        return (error as { code?: string }).code;
      }
    };
    const first = (found: { address: string }[]) => found[0]!.address;
    const result = {
      lookup: await outcome(() => dns.lookup("name.test", 4).then(({ address }) => address)),
      hosts: await outcome(() => dns.lookup("hosts.test", 4).then(({ address }) => address)),
      libc: await outcome(() =>
        Bun.dns.lookup("libc.test", { family: 4, backend: "libc" }).then(first),
      ),
      fetch: await outcome(() =>
        fetch(`http://fetch.test:${server.port}`).then((answer) => answer.text()),
      ),
      resolve: await outcome(() => resolve.resolve4("resolve.test").then(([address]) => address)),
    };
    child.stdin.end();
    await server.stop(true);
    return result;
  };
  const prefix = await withFiles(files);
  return inSubprocess({ granted, resolver }, body, { prefix, timeoutMs: 50_000 });
}

const found = {
  lookup: "127.0.0.7",
  hosts: "127.0.0.9",
  libc: "127.0.0.7",
  fetch: "hi",
  resolve: "127.0.0.7",
};

testInNamespace(
  [],
  "with dns(), names are looked up in /etc/hosts and at the resolver",
  async () => {
    expect(await lookups("files")).toEqual(found);
  },
);

const withPorts = "with dns({ ports: true }), so are they where every port is restricted, UDP too";
const lookUpWithPorts = async () => expect(await lookups("ports")).toEqual(found);
if (kernelAbi >= 10) testInNamespace([], withPorts, lookUpWithPorts);
else testFromAbi(10, withPorts, lookUpWithPorts);

testInNamespace([], "without dns(), look-ups fail with EAI_AGAIN or time out", async () => {
  expect(await lookups("nothing")).toEqual({
    lookup: "EAI_AGAIN",
    hosts: "EAI_AGAIN",
    libc: "DNS_EAI_AGAIN",
    fetch: "EAI_AGAIN",
    resolve: "ETIMEOUT",
  });
});

/** A module of glibc's name service switch that is a separate library and knows no hosts. */
const own = ["hesiod", "compat", "systemd"].find((name) => moduleLibraries([name]).size > 0);

testInNamespace(
  ["getent", ...(own ? [] : ["libnss_hesiod.so.2"])],
  "with dns(), other programs look names up too, with the modules in nsswitch.conf",
  async () => {
    const files = {
      "/etc/hosts": "127.0.0.9 hosts.test\n",
      "/etc/nsswitch.conf": `hosts: ${own} [!UNAVAIL=continue] files # dns\n`,
    };
    const body = ({ landlock, presets }: typeof import("../inside.ts")) => {
      const lookup = (...rules: ReturnType<typeof presets.dns>[]) => {
        const program = presets.executable("getent");
        using ruleset = landlock.V11.bestEffort().ruleset(program, ...rules);
        const { stdout, exitCode } = ruleset.spawnSync(["getent", "hosts", "hosts.test"]);
        return [stdout.toString().replaceAll(/\s+/g, " "), exitCode];
      };
      return {
        granted: lookup(presets.dns()),
        denied: lookup(),
        libraries: JSON.stringify(presets.dns()).match(/libnss_\w+/g),
      };
    };
    expect(await inSubprocess({}, body, { prefix: await withFiles(files) })).toEqual({
      granted: ["127.0.0.9 hosts.test ", 0],
      denied: ["", 2],
      libraries: expect.arrayContaining([`libnss_${own}`]),
    });
  },
);
