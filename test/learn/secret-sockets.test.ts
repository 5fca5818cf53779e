/** Sockets are secrets if their server acts for whoever connects. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { Secrets } from "../../src/advise/secrets.ts";
import { tempDir, testUnless } from "../harness.ts";
import { needsStrace } from "../observe/strace.ts";
import { Scene } from "./scene.ts";

const home = "/home/ann";
const secrets = new Secrets(home);

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
    ...["/tmp/.X11-unix/X0", "/run/user/1000/nvim.12.0", "/tmp/nvim.ann/AbC/nvim.12.0"],
    ...["/run/user/1000/vscode-ipc-1a.sock", "/tmp/vscode-git-1a.sock", "/tmp/mykitty-12"],
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
    ...["/usr/bin/kitty", "/home/ann/.config/kitty", "/usr/bin/nvim", "/tmp/nvim.ann/AbC/1"],
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
    const named = () => {
      const judge = new Secrets(home);
      return ["a", "b", "c", "d"].filter((name) => judge.has(`${folder}/${name}`));
    };
    set(values);
    try {
      expect(named()).toEqual(["a", "b", "c"]);
      set(["", "tcp://127.0.0.1:1", "unix:abstract=/x"]);
      expect(named()).toEqual([]);
    } finally {
      set(before);
    }
  });
});

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
        expect(said).toContain("a socket whose server has more rights");
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
