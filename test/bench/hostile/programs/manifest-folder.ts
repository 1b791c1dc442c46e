import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serviceWith } from '../../../support/worlds/manifests.ts';
import { send } from './http-client.ts';
import type { Victim } from './model.ts';

/** Replaces a file of the folder as a whole: writes another one, which is no manifest by its name, and renames it. */
export function writeManifest(folder: string, name: string, text: string): void {
  writeFileSync(join(folder, `.${name}.new`), text);
  renameSync(join(folder, `.${name}.new`), join(folder, name));
}

export function removeManifest(folder: string, name: string): void {
  rmSync(join(folder, name), { force: true });
}

/** A Service with one MCP port, 80, and the path `/mcp`. */
export function mcpTarget(key: string): string {
  const annotations = 'annotations: { kgateway.dev/mcp-path: /mcp }';
  return serviceWith(key, '{ ports: [{ port: 80, appProtocol: kgateway.dev/mcp }] }', annotations);
}

/** A Service whose target is the attackers', and sorts before that of the honest target. */
export const rival = 'default/a-rival';

/**
 * Adds the Services `default/hostile-1`… to the folder and waits until the gateway has them; the returned function
 * removes them.
 */
export function addHostileServices(victim: Victim, count: number): Promise<() => void> {
  return addServices(
    victim,
    Array.from({ length: count }, (_, index) => `default/hostile-${index + 1}`),
  );
}

/** Adds Services as {@link addHostileServices} does. */
export async function addServices({ folder, admin: port }: Victim, names: readonly string[]): Promise<() => void> {
  writeManifest(folder, 'hostile.yaml', names.map(mcpTarget).join('---\n'));
  const last = JSON.stringify(names.at(-1));
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const { text } = await send({ port, path: '/targets', timeout: 60_000 });
    if (text.includes(last)) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return () => removeManifest(folder, 'hostile.yaml');
}

/** Requests for the gateway's targets, 20 ms apart. */
const maxAttempts = 500;
