/** Wrong policies, and the error about each, word for word. */

const keys =
  "$schema, abi, bestEffort, variables, ro, rw, roFiles, rwFiles, paths, bindTcp, connectTcp, bindUdp, connectSendUdp, presets, unrestricted";
const rights =
  "execute, write_file, read_file, read_dir, remove_dir, remove_file, make_char, make_dir, make_reg, make_sock, make_fifo, make_block, make_sym, refer, truncate, ioctl_dev, resolve_unix";
const grant = (more: object) => ({ paths: [{ access: "ro", paths: ["/"], ...more }] });
const beneath = (more: object) => ({ pathBeneath: [{ ...more, parent: ["/"] }] });

/** A wrong policy and its error. */
export const own: readonly [value: unknown, message: string][] = [
  [null, `null is not an object: give one with ${keys}`],
  [[], `[] is not an object: give one with ${keys}`],
  ["ro", `"ro" is not an object: give one with ${keys}`],
  [{ readonly: [] }, `"readonly" is unknown: use ${keys}`],
  [JSON.parse('{ "__proto__": { "ro": ["/"] } }'), `"__proto__" is unknown: use ${keys}`],
  [{ $schema: 1 }, "$schema: 1 is not the address of a schema: give a string"],
  [{ abi: 12 }, "abi: 12 is not a Landlock ABI: give an integer from 1 to 11"],
  [{ abi: "5" }, 'abi: "5" is not a Landlock ABI: give an integer from 1 to 11'],
  [
    { bestEffort: "yes" },
    'bestEffort: "yes" is not bestEffort: use true or false, or a table with atLeast or allowNone',
  ],
  [
    { bestEffort: { atLeast: 0 } },
    "bestEffort.atLeast: 0 is not a Landlock ABI: give an integer from 1 to 11",
  ],
  [{ bestEffort: { atleast: 4 } }, 'bestEffort: "atleast" is unknown: did you mean "atLeast"?'],
  [{ ro: "/usr" }, 'ro: "/usr" is not a list: give an array'],
  [{ rw: ["/a", ""] }, 'rw[1]: "" is not a path: give a non-empty string without NUL'],
  [{ roFiles: [5] }, "roFiles[0]: 5 is not a path: give a non-empty string without NUL"],
  [{ paths: {} }, "paths: {} is not a list: give an array"],
  [
    { paths: ["/"] },
    'paths[0]: "/" is not an object: give one with access, paths, refer, ifMissing',
  ],
  [grant({ path: "/" }), 'paths[0]: "path" is unknown: did you mean "paths"?'],
  [
    grant({ access: "all" }),
    'paths[0].access: "all" is not access: give a list of rights, or one of ro, rw, roFiles, rwFiles',
  ],
  [
    grant({ access: ["execute", "reed"] }),
    `paths[0].access[1]: "reed" is not a filesystem right: use some of ${rights}`,
  ],
  [
    grant({ access: ["execute", "execute"] }),
    'paths[0].access: [ "execute", "execute" ] is not a set: name nothing twice',
  ],
  [grant({ access: [] }), "paths[0].access: [] grants nothing: name a right, or remove it"],
  [grant({ paths: "/" }), 'paths[0].paths: "/" is not a list: give an array'],
  [grant({ refer: 1 }), "paths[0].refer: 1 is not a boolean: use true or false"],
  [
    grant({ ifMissing: "ignore" }),
    'paths[0].ifMissing: "ignore" is not ifMissing: use "fail", "skip" or "create"',
  ],
  [
    { abi: 1, ...grant({ refer: true }) },
    "paths[0].refer: refer needs Landlock ABI 2, but abi is 1: remove it, or raise abi",
  ],
  [
    { abi: 2, ...grant({ access: ["write_file", "truncate"] }) },
    "paths[0].access[1]: truncate needs Landlock ABI 3, but abi is 2: remove it, or raise abi",
  ],
  [{ bindTcp: [80, 65536] }, "bindTcp[1]: 65536 is not a port: give an integer from 0 to 65535"],
  [{ bindUdp: ["53"] }, 'bindUdp[0]: "53" is not a port: give an integer from 0 to 65535'],
  [
    { abi: 3, connectTcp: [] },
    "connectTcp: connect_tcp needs Landlock ABI 4, but abi is 3: remove it, or raise abi",
  ],
  [{ presets: [""] }, 'presets[0]: "" is not a value: give a non-empty string without NUL'],
  ...["skip", "create"].map((ifMissing): [unknown, string] => [
    { ...grant({ ifMissing, paths: ["/a", "$HOME/x"] }) },
    'paths[0].paths[1]: $HOME is not replaced: write ${HOME}, with "variables": { "HOME": { "env": "HOME" } }, or $$HOME for a file of that name',
  ]),
  [
    { unrestricted: ["all"] },
    'unrestricted[0]: "all" is not something that can be unrestricted: use some of paths, net, scoped, bindTcp, connectTcp, bindUdp, connectSendUdp',
  ],
  [
    { unrestricted: ["net", "net"] },
    'unrestricted: [ "net", "net" ] is not a set: name nothing twice',
  ],
  [
    { unrestricted: ["scoped", "net"], connectSendUdp: [] },
    'unrestricted[1]: "net" is unrestricted here, but connectSendUdp grants something in it: remove one of the two',
  ],
  [
    { unrestricted: ["paths"], ...grant({}) },
    'unrestricted[0]: "paths" is unrestricted here, but paths grants something in it: remove one of the two',
  ],
  [
    { unrestricted: ["bindTcp", "connectTcp"], connectTcp: [443] },
    'unrestricted[1]: "connectTcp" is unrestricted here, but connectTcp grants something in it: remove one of the two',
  ],
  [
    { abi: 4, unrestricted: ["paths", "bindTcp", "connectTcp", "scoped"] },
    "unrestricted: nothing is left that Landlock ABI 4 restricts: remove an entry, or raise abi",
  ],
  [
    { unrestricted: ["paths", "net", "scoped"] },
    "unrestricted: nothing is left that Landlock ABI 11 restricts: remove an entry, or raise abi",
  ],
  [
    { abi: 2, unrestricted: ["paths"] },
    "unrestricted: nothing is left that Landlock ABI 2 restricts: remove an entry, or raise abi",
  ],
];

/** Errors in a configuration of the Landlock project. */
export const landlockConfig: readonly [value: unknown, message: string][] = [
  [{ ruleset: [] }, "ruleset: [] is not a list of one or more: put something in it"],
  [
    { ruleset: [{ scoped: ["signal"] }], ro: [] },
    '"ro" is unknown: use abi, variable, ruleset, pathBeneath, path_beneath, netPort, net_port',
  ],
  [
    { abi: 0, ruleset: [{ scoped: ["signal"] }] },
    "abi: 0 is not a Landlock ABI: give an integer from 1",
  ],
  [{ ruleset: [{}] }, "ruleset[0]: it is empty: name what it handles, or remove it"],
  [
    { ruleset: [{ handledAccessFs: ["abi.all"] }] },
    'ruleset[0].handledAccessFs[0]: "abi.all" needs to know the ABI: add the key abi',
  ],
  [
    { ruleset: [{ handled_access_net: ["abi.read_write"] }] },
    'ruleset[0].handled_access_net[0]: "abi.read_write" is not a network right: use some of abi.all, bind_tcp, connect_tcp, bind_udp, connect_send_udp',
  ],
  [
    { ruleset: [{ scoped: ["ptrace"] }] },
    'ruleset[0].scoped[0]: "ptrace" is not a scope: use some of abi.all, abstract_unix_socket, signal',
  ],
  [
    { ruleset: [{ handledAccessFs: ["execute"], handled_access_fs: ["execute"] }] },
    "ruleset[0].handled_access_fs: handledAccessFs means the same: remove one of the two",
  ],
  [
    { ...beneath({ allowedAccess: ["execute"] }), path_beneath: beneath({}).pathBeneath },
    "path_beneath: pathBeneath means the same: remove one of the two",
  ],
  [beneath({}), "pathBeneath[0].allowedAccess: it is missing: give a list of rights"],
  [
    beneath({ allowedAccess: [] }),
    "pathBeneath[0].allowedAccess: [] is not a list of one or more: put something in it",
  ],
  [
    { path_beneath: [{ allowed_access: ["execute"] }] },
    "path_beneath[0].parent: undefined is not a list: give an array",
  ],
  [
    { net_port: [{ allowed_access: ["bind_tcp"], port: [70000] }] },
    "net_port[0].port[0]: 70000 is not a port: give an integer from 0 to 65535",
  ],
  [
    { variable: [{ name: "1st" }] },
    'variable[0].name: "1st" is not the name of a variable: use letters, digits and _, a letter first',
  ],
  [
    { variable: [{ name: "a", literal: [] }] },
    "variable[0].literal: [] is not a list of one or more: put something in it",
  ],
  [
    { variable: [{ name: "a" }] },
    "ruleset: nothing is restricted: name a right to handle or to grant",
  ],
  [
    { pathBeneath: [{ allowedAccess: ["execute"], parent: ["/a", "${b}"] }] },
    "pathBeneath[0].parent[1]: ${b} is not a variable: define it in the table of variables; the environment is only used if the table says so",
  ],
];
