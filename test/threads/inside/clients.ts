/**
 * The clients of `running.test.ts`, as a separate program. Each loop requests a URL again and
 * again; every second loop opens a new connection each time. Prints "up" once every loop has had an
 * answer, and all outcomes at the end.
 */
const [url, loops, requests] = JSON.parse(process.argv[2]!) as [string, number, number];

const tally: Record<string, number> = {};
let up = 0;

async function request(keepalive: boolean): Promise<string> {
  try {
    const answer = await fetch(url, { keepalive });
    return `${answer.status} ${await answer.text()}`;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

async function loop(keepalive: boolean): Promise<void> {
  for (let i = 0; i < requests / loops; i++) {
    const outcome = await request(keepalive);
    tally[outcome] = (tally[outcome] ?? 0) + 1;
    if (i === 0 && ++up === loops) console.log("up");
  }
}

await Promise.all(Array.from({ length: loops }, (_, i) => loop(i % 2 === 0)));
console.log(JSON.stringify(tally));

export {};
