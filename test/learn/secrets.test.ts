/** What is never granted silently. */
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Secrets } from "../../src/advise/secrets.ts";
import { kernelAbi, tempDir, testUnless } from "../harness.ts";
import { needsStrace } from "../observe/strace.ts";
import { Scene } from "./scene.ts";

const home = "/home/ann";
const secrets = new Secrets(home);

/** Those of the names that are secrets in a folder. */
function secretOf(folder: string, names: readonly string[], judge = secrets): string[] {
  return names.filter((name) => judge.has(`${folder}/${name}`));
}

describe("secrets by name", () => {
  test("keys, tokens and profiles in any home directory", () => {
    const names = [
      ...[".ssh", ".ssh/id_ed25519", ".aws/credentials", ".gnupg/trustdb.gpg", ".kube/config"],
      ...[".config/gh/hosts.yml", ".netrc", ".npmrc", ".docker/config.json", ".git-credentials"],
      ...[".mozilla/firefox/x/logins.json", ".config/google-chrome/Default/Cookies"],
      ...[".local/share/keyrings/login.keyring", ".bash_history", ".cargo/credentials.toml"],
      ...[".config/rclone/rclone.conf", ".pgpass", ".claude/.credentials.json", ".m2/settings.xml"],
    ];
    const elsewhere = new Secrets("/data/people/eve");
    for (const folder of [home, "/home/other", "/root", "/data/people/eve"]) {
      // The settings of a home that is not there cannot be looked into.
      const known = folder.startsWith("/home/") ? names.filter((name) => name !== ".npmrc") : names;
      expect([folder, ...secretOf(folder, known, elsewhere)]).toEqual([folder, ...known]);
    }
    const others = [".bashrc", ".config/git/config", ".docker/daemon.json", ".cache/x", "ssh/a"];
    expect(secretOf(home, others)).toEqual([]);
    // In the homes of daemons, in backups and dotfiles too.
    for (const folder of ["", "/var/lib/daemon", "/mnt/backup/eve", "/srv/dotfiles"]) {
      expect(secretOf(folder, [".ssh/config", ".kube", "ssh"])).toEqual([".ssh/config", ".kube"]);
    }
  });

  test("those of the system", () => {
    const names = [
      ...["shadow", "shadow-", "gshadow-", "security/opasswd", "sudoers.d/a", "krb5.keytab"],
      ...["ssh/ssh_host_rsa_key", "ssl/private/a", "letsencrypt/live/a/privkey.pem"],
      ...["wireguard/wg0.conf", "ppp/chap-secrets", "ipsec.secrets"],
    ];
    expect(secretOf("/etc", names)).toEqual(names);
    expect(secretOf("", ["run/secrets/db", "run/credentials/x/y"])).toHaveLength(2);
    const others = [
      ...["passwd", "passwd-", "group-", "ssh/ssh_config", "ssh/ssh_host_rsa_key.pub"],
      ...["ssl/certs/ca-certificates.crt", "hosts", "security/limits.conf"],
    ];
    expect(secretOf("/etc", others)).toEqual([]);
  });

  const secretNames = [
    ...[".env", ".env.local", ".env.production", ".env-prod", ".env_prod", ".envrc", "prod.env"],
    ...[".ENV", ".env.bak", ".env~", "#.env#", ".\u002eenv.swp", ".env.example.local", ".dev.vars"],
    ...[
      "id_rsa",
      "id_rsa_work",
      "id_ed25519.bak",
      "id_ecdsa_sk",
      "id_rsa-old",
      "deploy_ed25519.key",
    ],
    ...[
      "store.p12",
      "a.pfx",
      "a.jks",
      "a.keystore",
      "db.kdbx",
      "a.ppk",
      "terraform.tfstate.backup",
    ],
    ...["access_token", "github-token.txt", "token.json", "api-key", "apikey.txt", "private_key"],
    ...[
      "credentials.json",
      ".credentials.json",
      "secrets.yaml",
      "app-secrets.prod.yml",
      ".secrets",
    ],
    ...["client_secret_1.apps.example.com.json", "passwords.csv", "password", "db_password.txt"],
    ...["service-account.json", "my-service-account-1.json", "serviceaccount.json", "auth.json"],
    ...["kubeconfig", "prod.kubeconfig", "kubeconfig.yaml", "secrets/db", "config/.secrets/a.json"],
    ...[".git-credentials", ".netrc", "_netrc", ".pgpass", ".htpasswd", ".dockercfg"],
    ...["master.key", "server.key", ".zsh_history", ".docker/config.json", ".kube/config"],
  ];

  test("of settings, tokens and stores of keys, wherever they are", () => {
    for (const folder of ["/srv/app", "/opt/app", "/usr/local/app", "/usr/src/app", "/"]) {
      expect([folder, ...secretOf(folder, secretNames)]).toEqual([folder, ...secretNames]);
    }
  });

  test("not of templates, code, pages, pictures and public keys", () => {
    const others = [
      ...[
        ".env.example",
        ".env.sample",
        ".env-template",
        "example.env",
        ".environment",
        "env.d.ts",
      ],
      ...["id_card.png", "id_rsa.pub", "id_rsa_work.pub", "id_rsa.old.pub", "keys.ts", "key.png"],
      ...[
        "environment",
        "environment.ts",
        "tokenizer.ts",
        "tokenizer.json",
        "token.ts",
        "tokens.css",
      ],
      ...[
        "credentials.ts",
        "secretary.txt",
        "secrets/index.ts",
        "password-reset.html",
        "README.md",
      ],
      ...["special_tokens_map.json", "keyboard.json", "monkey.txt", "history.txt", "tokenless"],
    ];
    expect(secretOf("/srv/app", others)).toEqual([]);
  });

  test("of what came with the system only keys and settings of environments", () => {
    const weak = ["share/doc/token", "lib/credentials", "share/secret"];
    expect(secretOf("/usr", weak)).toEqual([]);
    const strong = ["lib/app/.env", "share/app/id_rsa", "lib/app/prod.env", "lib/app/store.p12"];
    expect(secretOf("/usr", strong)).toEqual(strong);
    for (const folder of ["/opt", "/usr/local", "/usr/src"]) {
      expect(secretOf(folder, ["app/token", "app/credentials"])).toHaveLength(2);
    }
    expect(secretOf("/srv/node_modules", ["jsonwebtoken/token", "x/.env"])).toEqual(["x/.env"]);
  });
});

test("the homes of all users have secrets at the same places, whatever HOME is", () => {
  const homes = readFileSync("/etc/passwd", "latin1")
    .split("\n")
    .map((line) => line.split(":")[5] ?? "")
    .filter((folder) => existsSync(folder) && !/^\/((usr|lib|s?bin|etc|dev)\b|$)/.test(folder));
  expect(homes.length).toBeGreaterThan(0);
  const judge = new Secrets(undefined);
  expect(homes.filter((folder) => !judge.has(`${folder}/.npmrc`))).toEqual([]);
});

describe("secrets by content", () => {
  test("where a name does not tell, all of the file does", () => {
    const folder = tempDir();
    const key = "-----BEGIN EC PRIVATE KEY-----\n";
    const certificate = `-----BEGIN CERTIFICATE-----\n${"A".repeat(63)}\n`;
    const files: Record<string, string | Buffer> = {
      "public.pem": "-----BEGIN PUBLIC KEY-----\n",
      "public.key": "-----BEGIN PGP PUBLIC KEY BLOCK-----\n",
      "chain.pem": certificate.repeat(100),
      "cert.der": Buffer.from("308201003081a0a003020102", "hex"),
      "public.der": Buffer.from("30593013" + "06072a8648ce3d0201", "hex"),
      "plain.p8": "",
      "private.pem": key,
      "combined.pem": certificate.repeat(100) + key,
      "late.crt": certificate.repeat(10_000) + key,
      "long.pem": certificate.repeat(20_000),
      "rsa.der": Buffer.from("308204a40201000282", "hex"),
      "short.der": Buffer.from("30770201010420", "hex"),
      "encrypted.der": Buffer.from("3081ec305706092a864886f70d01050d", "hex"),
      "raw.key": Buffer.alloc(32, 7),
      deploy_rsa: key,
      ".npmrc": "//registry.example/:_authToken=abc\n",
      "pip.conf": "index-url = https://ann:pw@pypi.example/\n",
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const names = Object.keys(files);
    const free = ["public.pem", "public.key", "chain.pem", "cert.der", "public.der", "plain.p8"];
    expect(names.filter((name) => !secretOf(folder, [name]).length)).toEqual(free);
    writeFileSync(join(folder, ".npmrc"), "save-exact=true\n");
    expect(secretOf(folder, [".npmrc", "gone.key", "gone.pem"])).toEqual(["gone.key", "gone.pem"]);
    mkdirSync(join(folder, ".git"));
    const remote = "https://ann:token@git.example/a";
    writeFileSync(join(folder, ".git/config"), `[remote "origin"]\n\turl = ${remote}\n`);
    expect(secrets.has(join(folder, ".git/config"))).toBe(true);
    writeFileSync(join(folder, ".git/config"), "[core]\n\tbare = false\n");
    expect(secrets.has(join(folder, ".git/config"))).toBe(false);
  });
});

describe("sockets that give the rights of others are secrets", () => {
  const yes = [
    ...["/run/docker.sock", "/var/run/docker.sock", "/home/ann/.docker/run/docker.sock"],
    ...["/home/ann/.colima/default/docker.sock", "/run/user/1000/docker.sock", "/srv/docker.sock"],
    ...["/run/containerd/containerd.sock", "/run/k3s/containerd/containerd.sock"],
    ...["/run/podman/podman.sock", "/run/user/1000/podman/podman.sock", "/run/crio/crio.sock"],
    ...["/run/libvirt/libvirt-sock", "/run/libvirt/virtqemud-sock", "/run/buildkit/buildkitd.sock"],
    ...["/var/lib/incus/unix.socket", "/var/snap/lxd/common/lxd/unix.socket", "/run/snapd.socket"],
    ...["/run/dbus/system_bus_socket", "/var/run/dbus/system_bus_socket", "/run/user/1000/bus"],
    ...["/run/systemd/private", "/run/user/1000/systemd/private", "/tmp/tmux-1000/default"],
    ...[
      "/tmp/ssh-AbCd1234/agent.123",
      "/home/ann/.ssh/agent/s.abc",
      "/home/ann/.gnupg/S.gpg-agent",
    ],
    ...["/run/user/1000/gnupg/S.gpg-agent.ssh", "/run/user/1000/keyring/ssh", "/srv/S.scdaemon"],
    ...["/run/user/1000/openssh_agent", "/run/user/1000/gcr/ssh", "/srv/ssh-agent.sock"],
  ];
  const no = [
    ...[
      "/usr/bin/docker",
      "/usr/bin/ssh-agent",
      "/usr/lib/systemd/system/docker.socket",
      "/dev/log",
    ],
    ...["/run/systemd/notify", "/run/user/1000/wayland-0", "/run/postgresql/.s.PGSQL.5432"],
    ...["/var/run/nscd/socket", "/run/mysqld/mysqld.sock", "/srv/app.sock", "/srv/docker.ts"],
    ...["/tmp/bus", "/srv/run/docker", "/run/user/1000/pulse/native", "/srv/gpg-agent.conf"],
  ];
  test("by their names", () => {
    expect([...yes, ...no].filter((path) => secrets.has(path))).toEqual(yes);
  });

  test("by the environment, whatever they are called", () => {
    const folder = realpathSync(tempDir());
    const names = ["SSH_AUTH_SOCK", "DOCKER_HOST", "DBUS_SESSION_BUS_ADDRESS"] as const;
    const before = names.map((name) => process.env[name]);
    const values = [`${folder}/a`, `unix://${folder}/b`, `unix:path=${folder}/c,guid=1`];
    const set = (to: readonly (string | undefined)[]) => {
      for (const [i, name] of names.entries()) {
        if (to[i] === undefined) delete process.env[name];
        else process.env[name] = to[i];
      }
    };
    set(values);
    try {
      expect(secretOf(folder, ["a", "b", "c", "d"], new Secrets(home))).toEqual(["a", "b", "c"]);
      set(["", "tcp://127.0.0.1:1", "unix:abstract=/x"]);
      expect(secretOf(folder, ["a", "b", "c", "d"], new Secrets(home))).toEqual([]);
    } finally {
      set(before);
    }
  });
});

test("secrets within a directory are the nearest, no link is followed, and it ends", () => {
  const folder = tempDir();
  mkdirSync(join(folder, "a/b"), { recursive: true });
  mkdirSync(join(folder, "node_modules/x"), { recursive: true });
  for (const name of ["a/b/.env", "a/plain", "node_modules/x/.env"])
    writeFileSync(join(folder, name), "");
  symlinkSync(folder, join(folder, "a/loop"));
  const env = join(folder, "a/b/.env");
  const without = { withoutPackages: true };
  expect(secrets.within(folder, without)).toEqual({ found: [env], complete: true });
  expect(secrets.within(folder).found.toSorted()).toEqual([
    env,
    join(folder, "node_modules/x/.env"),
  ]);
  writeFileSync(join(folder, "token"), "");
  const found = [join(folder, "token")];
  expect(secrets.within(folder, { max: 1 })).toEqual({ found, complete: true });
  expect(secrets.within(join(folder, "none"))).toEqual({ found: [], complete: true });
});

describe("secrets by link", () => {
  test("what a link with the name of a secret leads to is one", () => {
    const folder = realpathSync(tempDir());
    const own = join(folder, "home");
    for (const name of ["home/.aws", "home/.config", "home/dotfiles/ssh", "home/work", "home/free"])
      mkdirSync(join(folder, name), { recursive: true });
    const files = ["ssh/config", "npmrc", "awsc", "env", "gh", "plain", "mid", "chained"];
    for (const name of files) {
      if (name !== "mid") writeFileSync(join(own, "dotfiles", name), "x");
    }
    symlinkSync("dotfiles/ssh", join(own, ".ssh"));
    symlinkSync("dotfiles/npmrc", join(own, ".npmrc"));
    symlinkSync("../dotfiles/awsc", join(own, ".aws/credentials"));
    symlinkSync("../dotfiles/env", join(own, "work/.env"));
    symlinkSync(join(own, "dotfiles/gh"), join(own, ".config/gh"));
    symlinkSync("chained", join(own, "dotfiles/mid"));
    symlinkSync("../dotfiles/mid", join(own, "work/.envrc"));
    symlinkSync("..", join(own, "work/.secrets"));
    const judge = new Secrets(own, join(own, "work"));
    const found = files.filter((name) => judge.has(join(own, "dotfiles", name)));
    expect(found).toEqual(["ssh/config", "npmrc", "awsc", "env", "gh", "chained"]);
    expect(judge.mayBeWithin(join(own, "dotfiles"))).toBe(true);
    // A link to the home itself makes no secret of all that is in it.
    expect(judge.has(join(own, "free"))).toBe(false);
  });

  test("a path is judged by each of its names", () => {
    const folder = realpathSync(tempDir());
    for (const name of ["plain", "id_rsa"]) writeFileSync(join(folder, name), "x");
    symlinkSync("plain", join(folder, ".env"));
    symlinkSync(".env", join(folder, "a"));
    symlinkSync("id_rsa", join(folder, "b"));
    symlinkSync(".", join(folder, "here"));
    symlinkSync("loop", join(folder, "loop"));
    const nameFor = (name: string) => secrets.nameFor(`${folder}/${name}`);
    expect([".env", "a", "b", "plain", "loop", "gone"].map(nameFor)).toEqual([
      ...[join(folder, ".env"), join(folder, ".env"), join(folder, "id_rsa")],
      ...[undefined, undefined, undefined],
    ]);
    expect(nameFor("here/../here/a")).toBe(undefined);
    expect(nameFor("here/here/a")).toBe(join(folder, ".env"));
    expect(nameFor("./x/../b")).toBe(join(folder, "id_rsa"));
  });
});

test("a hard link to a secret is one, whatever it is called, as long as it is there", () => {
  const folder = realpathSync(tempDir());
  const own = join(folder, "home");
  for (const name of ["home/.ssh/agent", "home/.mozilla/a", "work/data/deep", "work/free"])
    mkdirSync(join(folder, name), { recursive: true });
  const links: [secret: string, name: string][] = [
    ["home/.ssh/id_ed25519", "work/data.txt"],
    ["home/.ssh/agent/x", "work/data/x"],
    ["home/.mozilla/a/b", "work/data/b"],
    ["home/.npmrc", "home/plain"],
    ["home/other/.env", "work/data/deep/e"],
    ["work/data/.env", "work/data/f"],
  ];
  mkdirSync(join(own, "other"));
  for (const [secret, name] of links) {
    writeFileSync(join(folder, secret), "x");
    linkSync(join(folder, secret), join(folder, name));
  }
  writeFileSync(join(folder, "work/free/a"), "a");
  linkSync(join(folder, "work/free/a"), join(folder, "work/free/b"));
  symlinkSync("data.txt", join(folder, "work/link"));
  const judge = new Secrets(own, join(folder, "work"));
  const names = links.map(([, name]) => name);
  expect(secretOf(folder, [...names, "work/free/a", "work/free/b"], judge)).toEqual(names);
  for (const [secret, name] of links)
    expect(judge.sameAs(join(folder, name))).toBe(join(folder, secret));
  expect(judge.nameFor(join(folder, "work/link"))).toBe(join(folder, "work/data.txt"));
  expect(judge.mayBeWithin(join(folder, "work/data/deep"))).toBe(true);
  expect(judge.mayBeWithin(join(folder, "work/free"))).toBe(false);
  // Where it went is looked at too, and a link that is made later counts.
  renameSync(join(folder, "work/data.txt"), join(folder, "work/moved"));
  expect(judge.has(join(folder, "work/data.txt"))).toBe(false);
  expect(judge.has(join(folder, "work/data.txt"), join(folder, "work/moved"))).toBe(true);
  writeFileSync(join(own, ".netrc"), "x");
  linkSync(join(own, ".netrc"), join(folder, "work/late"));
  judge.look();
  expect(judge.has(join(folder, "work/late"))).toBe(true);
});

testUnless(
  needsStrace || (kernelAbi < 1 ? "needs Landlock" : ""),
  "learn grants no hard link to a secret, nor its directory, and explain says what it is",
  async () => {
    const scene = new Scene(tempDir());
    const key = join(scene.home, ".ssh/id_ed25519");
    writeFileSync(key, "key\n");
    for (const name of ["docs/a", "docs/b"]) scene.write(name, "text\n");
    for (const name of ["data.txt", "docs/c"]) linkSync(key, join(scene.project, name));
    const read = ["cat", "data.txt", "docs/a", "docs/b", "docs/c"];
    const learned = await scene.learn(read);
    expect(learned.stdout).toBe("key\ntext\ntext\nkey\n");
    const text = await Bun.file(scene.policy).text();
    for (const said of [learned.stderr, text]) {
      for (const name of ["data.txt", "docs/c"]) {
        const same = "${HOME}/.ssh/id_ed25519";
        expect(said).toContain(`"\${PROJECT}/${name}", the same file as "${same}": read_file`);
      }
    }
    const again = await scene.restricted(read);
    expect(again.stdout).toBe("text\ntext\n");
    expect(again.stderr.match(/Permission denied/g)).toHaveLength(2);
    const cli = scene.learning("p.toml", []).slice(0, -4);
    const words = ["explain", "-ro", "/usr", "/bin", "/lib", "/etc", "--", "cat", "data.txt"];
    const { stderr } = await scene.run([...cli, ...words]);
    const data = join(scene.project, "data.txt");
    expect(stderr).toContain(`really needs: ${data}, the same file as ${key}.`);
  },
);

testUnless(
  needsStrace,
  "learn grants no socket that gives the rights of others, and grants one beside it",
  async () => {
    const scene = new Scene(tempDir());
    mkdirSync(join(scene.folder, "run"));
    const names = ["docker.sock", "app.sock"];
    const [docker, app] = names.map((name) => join(scene.folder, "run", name)) as [string, string];
    const servers = [docker, app].map((unix) => Bun.listen({ unix, socket: { data() {} } }));
    try {
      const script = `
        const { connect } = require("node:net");
        for (const path of ${JSON.stringify([docker, app])}) {
          await new Promise((done) => {
            const socket = connect(path, () => (console.log("connected"), socket.destroy(), done()));
          });
        }`;
      const { stdout, stderr } = await scene.learn(["bun", "-e", script]);
      expect(stdout).toBe("connected\nconnected\n");
      const text = await Bun.file(scene.policy).text();
      for (const said of [stderr, text]) {
        expect(said).toContain("a socket that gives the rights of others");
        expect(said).toContain(`"${docker}": resolve_unix`);
      }
      const { paths } = Bun.TOML.parse(text) as { paths: object[] };
      expect(JSON.stringify(paths)).toContain(app);
      expect(JSON.stringify(paths)).not.toContain(docker);
    } finally {
      for (const server of servers) server.stop(true);
    }
  },
);

testUnless(
  needsStrace || (kernelAbi < 1 ? "needs Landlock" : ""),
  "a secret that was read is listed apart and stays denied, and folding leaves it out",
  async () => {
    const scene = new Scene(tempDir());
    const key = join(scene.home, ".ssh/id_ed25519");
    writeFileSync(key, "key");
    chmodSync(key, 0o600);
    for (const name of ["settings/a", "settings/b", "settings/.env", "docs/a", "docs/b"])
      scene.write(name, name);
    const files = ["settings/a", "settings/b", "settings/.env", "docs/a", "docs/b", key];
    const read = ["cat", ...files];
    const { code, stderr } = await scene.learn(read);
    expect(code).toBe(0);
    const text = await Bun.file(scene.policy).text();
    const policy = Bun.TOML.parse(text) as { ro: string[]; roFiles: string[] };
    expect(policy.ro).toContain("${PROJECT}/docs");
    expect(policy.roFiles).toEqual(
      expect.arrayContaining(["${PROJECT}/settings/a", "${PROJECT}/settings/b"]),
    );
    for (const said of [stderr, text]) {
      expect(said).toContain('"${HOME}/.ssh/id_ed25519": read_file');
      expect(said).toContain('"${PROJECT}/settings/.env": read_file');
    }
    const again = await scene.restricted(read);
    expect(again.stdout).toBe("settings/asettings/bdocs/adocs/b");
    expect(again.stderr).toContain(`${key}: Permission denied`);
    expect(again.stderr).toContain("settings/.env: Permission denied");
  },
);

testUnless(
  needsStrace,
  "a secret in a directory that has to be granted is told about",
  async () => {
    const scene = new Scene(tempDir());
    scene.write(".env", "PASSWORD=1");
    const { stderr } = await scene.learn(["sh", "-c", "echo new >made; cat made"]);
    expect(stderr).toContain("Careful: secrets that come with a directory above");
    expect(stderr).toContain("${PROJECT}/.env");
  },
);

testUnless(needsStrace, "a policy that its program can write to is told about", async () => {
  const scene = new Scene(tempDir());
  const make = ["sh", "-c", "echo new >made"];
  expect((await scene.learn(make)).stderr).not.toContain("its own policy");
  scene.empty();
  const inside = await scene.run(scene.learning("policy.toml", make));
  expect(inside.stderr).toContain("can write to its own policy");
  expect(await Bun.file(join(scene.project, "policy.toml")).text()).toContain("#   policy.toml\n");
});

testUnless(needsStrace, "a program that its own run can change is told about", async () => {
  const scene = new Scene(tempDir());
  scene.write("tool", "#!/bin/sh\necho new >made\n");
  chmodSync(join(scene.project, "tool"), 0o755);
  const careful = "a run can change these programs";
  // What only runs, and what is written elsewhere, is not meant.
  expect((await scene.learn(["sh", "-c", "./tool; true"])).stderr).toContain(careful);
  expect(await Bun.file(scene.policy).text()).toMatch(/^# {3}\S*tool$/m);
  scene.empty();
  expect((await scene.learn(["sh", "-c", "echo new >made"])).stderr).not.toContain(careful);
});

testUnless(
  needsStrace || (kernelAbi < 1 ? "needs Landlock" : ""),
  "secrets that lie among others by a name that links give them stay denied, and so do copies",
  async () => {
    const scene = new Scene(tempDir());
    const dotfiles = join(scene.home, "dotfiles");
    mkdirSync(join(scene.home, ".aws"));
    mkdirSync(dotfiles);
    const names = ["npmrc", "awsc", "env", "moved", "plain", "other"];
    for (const name of names) writeFileSync(join(dotfiles, name), `${name}\n`);
    symlinkSync("dotfiles/npmrc", join(scene.home, ".npmrc"));
    symlinkSync("../dotfiles/awsc", join(scene.home, ".aws/credentials"));
    symlinkSync("../home/dotfiles/env", join(scene.project, ".env"));
    scene.write("q/.env", "copy\n");
    // The last two by names that tell nothing, in the place of links that the run removes.
    const read = "cat ~/.npmrc ~/.aws/credentials .env ~/dotfiles/plain ~/dotfiles/other";
    const move = "ln -s ~/dotfiles/moved .envrc; cat .envrc; rm .envrc; mv q/.env q/e; cat q/e";
    const learned = await scene.learn(["sh", "-c", `${read}; ${move}`]);
    expect(learned.stdout.split("\n")).toEqual([
      ...["npmrc", "awsc", "env", "plain", "other", "moved", "copy", ""],
    ]);
    expect(learned.stderr).toContain("it is secret");
    expect(learned.stderr).toContain('"${PROJECT}/q/.env"');
    const all = names.map((name) => `~/dotfiles/${name}`).join(" ");
    const { stdout, stderr } = await scene.restricted(["sh", "-c", `cat ${all} q/e`]);
    expect(stdout).toBe("plain\nother\n");
    expect(stderr.match(/Permission denied/g)).toHaveLength(5);
  },
);

testUnless(
  needsStrace || (kernelAbi < 1 ? "needs Landlock" : ""),
  "explain says which of the files that it names are secrets",
  async () => {
    const scene = new Scene(tempDir());
    const cli = scene.learning("p.toml", []).slice(0, -4);
    writeFileSync(join(scene.home, ".npmrc"), "x");
    symlinkSync("../home/.npmrc", join(scene.project, "settings"));
    scene.write("plain", "x");
    const explain = [...cli, "explain", "-ro", "/usr", "/bin", "/lib", "/etc", "--", "cat"];
    const careful = "Careful: these are secrets";
    const { stderr } = await scene.run([...explain, "settings", "plain"]);
    expect(stderr).toContain(careful);
    expect(stderr).toContain(`needs: ${join(scene.home, ".npmrc")}.`);
    expect((await scene.run([...explain, "plain"])).stderr).not.toContain(careful);
  },
);
