/**
 * The list of secrets by name, and of sockets that are equally sensitive because connecting to them
 * gives other rights. All code that recognizes secrets uses it.
 */
import { lastName, parentOf } from "../kernel/names.ts";

/** Files and whole directories in a home directory, or in a copy of one. */
const homePlaces = [
  // Keys and passwords.
  ...[".ssh", ".gnupg", ".putty", ".pki", ".password-store", ".local/share/keyrings"],
  ...[".local/share/kwalletd", ".config/op", ".config/sops", ".config/age", ".config/Bitwarden"],
  ...[".Xauthority", ".ICEauthority", ".age", ".config/wireguard"],
  // Clouds and clusters.
  ...[".aws", ".azure", ".kube", ".minikube", ".oci", ".bluemix", ".fly", ".config/gcloud"],
  ...[".config/doctl", ".config/hcloud", ".config/rclone", ".config/stripe", ".config/netlify"],
  ...[".docker/config.json", ".terraform.d/credentials.tfrc.json", ".databrickscfg", ".snowsql"],
  ...[".snowflake", ".cloudflared", ".ngrok2", ".config/ngrok", ".openai", ".dbt/profiles.yml"],
  ...[".kaggle", ".s3cfg", ".boto", ".config/s3cmd"],
  // Code hosts and package registries.
  ...[".config/gh", ".config/hub", ".config/glab-cli", ".config/git/credentials", ".pypirc"],
  ...[".config/github-copilot", ".subversion/auth", ".config/filezilla"],
  ...[".cargo/credentials", ".cargo/credentials.toml", ".gem/credentials", ".m2/settings.xml"],
  // Databases, mail, money.
  ...[".my.cnf", ".mylogin.cnf", ".pgpass", ".fetchmailrc", ".msmtprc", ".authinfo"],
  ...[".bitcoin", ".electrum", ".ethereum/keystore"],
  // Browsers, chat programs, and tools that keep conversations.
  ...[".mozilla", ".thunderbird", ".config/google-chrome", ".config/chromium", ".config/Signal"],
  ...[".config/BraveSoftware", ".config/microsoft-edge", ".claude.json", ".purple"],
];

/** Always secret in a home directory. Elsewhere their content decides. */
const homeSettings = [".npmrc", ".yarnrc", ".yarnrc.yml"];

/** Secrets of the system. */
const systemPlaces = [
  ...["/etc/shadow", "/etc/gshadow", "/etc/security/opasswd", "/etc/sudoers", "/etc/sudoers.d"],
  ...["/etc/ssl/private", "/etc/pki/tls/private", "/etc/pki/private", "/etc/letsencrypt"],
  ...["/etc/wireguard", "/etc/ipsec.d/private", "/etc/wpa_supplicant", "/var/lib/iwd"],
  ...["/etc/NetworkManager/system-connections", "/etc/kubernetes/pki", "/var/lib/kubelet/pki"],
  ...["/etc/kubernetes/admin.conf", "/etc/rancher/k3s/k3s.yaml", "/etc/mysql/debian.cnf"],
  ...["/etc/docker/key.json", "/etc/postfix/sasl_passwd", "/etc/exim4/passwd.client"],
  ...["/run/secrets", "/run/credentials"],
];

/** Sockets whose servers act for their clients as root, with keys, or outside of the sandbox. */
const sockets: readonly RegExp[] = [
  // Containers and machines.
  /\/(docker|podman|containerd|crio|cri-dockerd|dockershim|buildkitd)([._-]\w+)*\.sock$/,
  /^\/run\/(docker|podman|containerd|crio|buildkit|k3s\/containerd|libvirt|lxd|incus)(\/|$)/,
  /^\/var\/(lib|snap)\/(lxd|incus)\/(.*\/)?unix\.socket$/,
  // Services of the system or a user that start programs.
  /\/system_bus_socket$|^\/run\/(systemd\/private|snapd(-snap)?\.socket|screen)(\/|$)/,
  /^\/run\/user\/\d+\/(bus|systemd\/private|podman|libvirt|docker|containerd|emacs)(\/|$)/,
  /^\/tmp\/(tmux-\d+|emacs\d+|screens)(\/|$)/,
  // Displays, and editors and terminals that take commands.
  /^\/tmp\/\.(X11|ICE)-unix\/\w+$|\/nvim\.\d+\.\d+$|^\/tmp\/nvim\w{6}\/\d+$/,
  /\/vscode-(ipc|git)-[^/]+\.sock$|^(\/tmp|\/run\/user\/\d+)\/(my)?kitty(-[^/]+)?$/,
  // Agents, which use keys on behalf of their clients.
  /\/S\.(gpg-agent|scdaemon)(\.\w+)*$|\/ssh-agent\.sock(et)?$|\/ssh-\w+\/agent$/,
  /^\/run\/user\/\d+\/(gnupg|keyring|gcr|ssh-agent|openssh_agent)(\/|$)/,
];

/** Names of files that are secret in any directory. */
const files: readonly RegExp[] = [
  // Environment settings, except templates: .env.local, .env-prod, prod.env.
  /^(?!.*[._-](example|sample|template|tmpl|dist|defaults?|schema)$)\.(env(rc)?|flaskenv|dev\.vars)([._-].*)?$/is,
  /^(?!(.*[._-])?(example|sample|template|tmpl|dist|defaults?)\.env$).+\.env$/is,
  // SSH keys, except public ones: id_rsa, id_rsa_work, ssh_host_rsa_key.
  /^id_(rsa|dsa|ecdsa|ed25519|xmss)(?!.*\.pub$)([._-].*)?$/is,
  /^ssh_host_\w+_key$/,
  // Stores of keys and passwords, and Terraform's state, which contains them unencrypted.
  /\.(p12|pfx|pkcs12|jks|keystore|bcfks|kdbx?|ppk|keytab|agekey|pk8|tfstate|tfvars)$/i,
  /^(secring\.gpg|wallet\.dat|key[34]\.db|logins\.json)$/,
  // Password files, under the names that programs expect.
  /^(\.git-credentials|[._]netrc|\.?pgpass(\.conf)?|\.htpasswd|\.htdigest|\.passwd-s3fs|\.mylogin\.cnf)$/i,
  /^(\.dockercfg|\.dockerconfigjson|\.vault[_-](pass|password|token)|\.authinfo\.gpg|auth\.json)$/i,
  // Tickets of Kerberos, what editors keep for their extensions, settings of databases.
  /^(krb5cc(_.*)?|state\.vscdb|wp-config\.php)$/s,
  // Keys of services.
  /^(.*[._-])?service[._-]?accounts?([._-].*)?\.json$/is,
  /firebase-adminsdk.*\.json$/is,
  /^(.*[._-])?kubeconfig([._-].*)?(?<!\.(go|md|ts|js|py|rs))$/is,
  // The history of shells and clients.
  /^(\.(\w+_history|histfile)|fish_history)$/,
];

/** Words in the names of files that are probably secret: access_token, client-secret.json. */
const words =
  /(^|[._-])(secrets?|credentials?|creds?|passwords?|tokens?|api[._-]?keys?|(access|deploy|master|private|secret)[._-]?keys?)([._-]|$)/i;

/** Settings that npm's programs keep, with tokens, but not their checks for updates. */
const kept = /\/\.config\/configstore\/(?!update-notifier-)[^/]+\.json$/;

/** Directories that probably contain only secrets. */
const folders = /^\.?(secrets?|credentials?|passwords?|private[._-]?keys?)$/i;

/**
 * Files whose names contain such words but that hold no secrets: code, pages, pictures, token lists
 * of language models, design tokens.
 */
const about =
  /\.(\w?[jt]sx?|d\.\w+|py[ci]?|rb|go|rs|c|h|cc|cpp|hpp|cs|java|kt|swift|php|so|o|a|class|vue|svelte|astro|proto|graphql|md|mdx|rst|adoc|html?|hbs|ejs|erb|pug|twig|mjml|css|scss|less|lock|map|pub|svg|png|gif|jpe?g|ico|webp|woff2?)$|^(special_tokens_map|added_tokens|design[._-]tokens)\.json$/i;

/** Files that may hold a private key, depending on their content. */
const keys =
  /\.(pem|key|p8|pkcs8|asc|der|crt|cer|cert|ovpn)$|(^|[._-])(key|[rd]sa|ecdsa|ed25519)$/i;

/** Settings files that may hold a password, depending on their content. */
const settings =
  /(^|\/)(\.npmrc|\.pnpmrc|\.yarnrc(\.yml)?|\.?bunfig\.toml|pip\.conf|nuget\.config|gradle\.properties|\.terraformrc|\.git\/config)$/i;

const inHome = new RegExp(`/(${homePlaces.map(quotedPattern).join("|")})(/|$)`);
const ofSystem = new RegExp(`^(${systemPlaces.map(quotedPattern).join("|")})(/|$)`);

function quotedPattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/**
 * What a name tells. `secret`: always a secret. `likely`: a secret unless it came with the system.
 * `key` and `password`: a secret if the content holds one. `start`: if it starts with a key.
 */
type Told = "secret" | "likely" | "key" | "password" | "start";

/**
 * What the name of a file or directory tells about it.
 *
 * @param path An absolute path
 */
export function toldBy(path: string): Told[] {
  const name = original(lastName(path));
  const folder = parentOf(path);
  const plain = `${folder === "/" ? "" : folder}/${name}`;
  const lasting = plain.replace(/^\/var(?=\/run\/)/, "");
  const isSocket = sockets.some((pattern) => pattern.test(lasting) || pattern.test(path));
  const isKnown = isSocket || kept.test(plain) || inHome.test(plain) || ofSystem.test(lasting);
  if (isKnown || files.some((pattern) => pattern.test(name))) return ["secret"];
  const told: Told[] = [];
  const isInside = () => folder.split("/").some((one) => folders.test(one));
  if (!about.test(name) && (words.test(name) || isInside())) told.push("likely");
  if (keys.test(name)) told.push("key");
  if (settings.test(plain)) told.push("password");
  if (told.length === 0 && !about.test(name)) told.push("start");
  return told;
}

/** The original name of a copy, a backup or an editor's temporary file. */
function original(name: string): string {
  const [, edited] = /^(?:\.(.+)\.sw[a-p]|#(.+)#)$/s.exec(name)?.filter((one) => one) ?? [];
  return (edited ?? name).replace(
    /(?<=.)(~|-|\.(bak|old|orig|save|backup|copy|tmp|new|\d+))+$/,
    "",
  );
}

/** The paths of secrets with fixed names, in these home directories and in the system. */
export function knownPlaces(homes: Iterable<string>): string[] {
  const names = [...homePlaces, ...homeSettings];
  return [...[...homes].flatMap((home) => names.map((name) => `${home}/${name}`)), ...systemPlaces];
}

/** The sockets and secrets that an environment names, as a path or as `unix:///run/docker.sock`. */
export function namedSockets(env: Readonly<Record<string, string | undefined>>): string[] {
  const names = [
    "SSH_AUTH_SOCK",
    "DOCKER_HOST",
    "CONTAINER_HOST",
    "DBUS_SESSION_BUS_ADDRESS",
    "NVIM",
    "VSCODE_IPC_HOOK_CLI",
    "VSCODE_GIT_IPC_HANDLE",
    "KITTY_LISTEN_ON",
    "XAUTHORITY",
    "KRB5CCNAME",
  ];
  return names.flatMap((name) => {
    const [, path] = /^(?:unix:(?:\/\/|path=)?|FILE:)?(\/[^,;]+)/.exec(env[name] ?? "") ?? [];
    return path ?? [];
  });
}
