/** A server under load: before, during and after its restriction. */
import { interleave, type Candidate } from "../interleave.ts";
import type { Group } from "../results.ts";
import type { Workshop } from "../workshop.ts";

const clients = 32;

/** The results of some requests. */
interface Load {
  readonly perSecond: number;
  readonly failed: number;
}

/** Sends requests, `clients` at a time; the middle one may differ. */
async function load(url: string, requests: number, middle = url): Promise<Load> {
  let next = 0;
  let failed = 0;
  const client = async () => {
    while (next < requests) {
      const target = next++ === requests >> 1 ? middle : url;
      try {
        const response = await fetch(target);
        await response.text();
        if (!response.ok) failed++;
      } catch {
        failed++;
      }
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: clients }, client));
  return { perSecond: requests / ((performance.now() - begun) / 1000), failed };
}

export async function server(workshop: Workshop): Promise<Group[]> {
  const script = await workshop.inside("server.ts");
  const requests = workshop.quick ? 300 : 5_000;
  let sent = 0;
  let failed = 0;
  const candidate: Candidate = {
    labels: [
      { name: "before", role: "base" },
      { name: "while it restricts itself", role: "ours" },
      { name: "after", role: "ours" },
    ],
    async sample() {
      await using child = Bun.spawn([process.execPath, script], {
        cwd: workshop.folder,
        stdout: "pipe",
      });
      const reader = child.stdout.getReader();
      const port = new TextDecoder().decode((await reader.read()).value).trim();
      const url = `http://127.0.0.1:${port}/`;
      await load(url, requests);
      const phases = [
        await load(url, requests),
        await load(url, requests, `${url}restrict`),
        await load(url, requests),
      ];
      for (const phase of phases) failed += phase.failed;
      sent += phases.length * requests;
      child.kill();
      await child.exited;
      return phases.map(({ perSecond }) => perSecond);
    },
  };
  const entries = await interleave([candidate], workshop.rounds(10), 0);
  const note = `${failed} of ${sent.toLocaleString("en")} requests failed`;
  const title = `A server with ${clients} clients (more is better)`;
  return [{ id: "server", title, unit: "requests/s", entries, bars: [], note }];
}
