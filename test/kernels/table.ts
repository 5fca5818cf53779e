/** The kernels to run the tests on, one row each. */

/** CPU names as Bun spells them. */
export type Cpu = "x64" | "arm64";

/** A Debian kernel and its Landlock. */
export interface Kernel {
  readonly name: string;
  readonly cpu: Cpu;
  /** The suites that contain it; old versions move to the security suite. */
  readonly suites: readonly string[];
  /** Matches the image's package, whatever its latest version. */
  readonly package: RegExp;
  readonly abi: number;
  readonly state: "enabled" | "unsupported" | "disabled";
  /** Additional boot parameters. */
  readonly parameters?: string;
  /** Runs even without `all`. */
  readonly quick?: boolean;
}

const backports = ["trixie-backports"];

/** In starting order, the slow ones first. */
export const kernels: readonly Kernel[] = [
  {
    name: "arm64-6.12",
    cpu: "arm64",
    suites: ["trixie"],
    package: /^linux-image-6\.12\.\d+\+deb13-cloud-arm64$/,
    abi: 6,
    state: "enabled",
    quick: true,
  },
  {
    name: "arm64-7.3",
    cpu: "arm64",
    suites: backports,
    package: /^linux-binary-7\.3\.\d+\+deb13-cloud-arm64$/,
    abi: 11,
    state: "enabled",
  },
  {
    name: "x64-6.1",
    cpu: "x64",
    suites: ["bookworm", "bookworm-security"],
    package: /^linux-image-6\.1\.0-\d+-cloud-amd64$/,
    abi: 2,
    state: "enabled",
    quick: true,
  },
  {
    name: "x64-6.12",
    cpu: "x64",
    suites: ["trixie"],
    package: /^linux-image-6\.12\.\d+\+deb13-cloud-amd64$/,
    abi: 6,
    state: "enabled",
    quick: true,
  },
  {
    name: "x64-6.19",
    cpu: "x64",
    suites: backports,
    package: /^linux-binary-6\.19\.\d+\+deb13-cloud-amd64$/,
    abi: 7,
    state: "enabled",
  },
  {
    name: "x64-7.0",
    cpu: "x64",
    suites: backports,
    package: /^linux-binary-7\.0\.\d+\+deb13-cloud-amd64$/,
    abi: 8,
    state: "enabled",
    quick: true,
  },
  {
    name: "x64-7.1",
    cpu: "x64",
    suites: backports,
    package: /^linux-binary-7\.1\.\d+\+deb13-cloud-amd64$/,
    abi: 9,
    state: "enabled",
  },
  {
    name: "x64-7.2",
    cpu: "x64",
    suites: backports,
    package: /^linux-binary-7\.2\.\d+\+deb13-cloud-amd64$/,
    abi: 10,
    state: "enabled",
  },
  {
    name: "x64-7.3",
    cpu: "x64",
    suites: backports,
    package: /^linux-binary-7\.3\.\d+\+deb13-cloud-amd64$/,
    abi: 11,
    state: "enabled",
    quick: true,
  },
  {
    name: "x64-5.10",
    cpu: "x64",
    suites: ["bullseye", "bullseye-security"],
    package: /^linux-image-5\.10\.0-\d+-cloud-amd64$/,
    abi: 0,
    state: "unsupported",
  },
  {
    name: "x64-lsm-off",
    cpu: "x64",
    suites: ["trixie"],
    package: /^linux-image-6\.12\.\d+\+deb13-cloud-amd64$/,
    abi: 0,
    state: "disabled",
    parameters: "lsm=lockdown,yama",
  },
];

/** The suite of the guests' programs. */
export const userlandSuite = "trixie";
