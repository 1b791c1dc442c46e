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

/**
 * Adds the Services `default/hostile-1`… to the folder and waits until the gateway has them; the returned function
 * removes them.
 */
export async function addHostileServices({ folder, admin: port }: Victim, count: number): Promise<() => void> {
  const services = Array.from({ length: count }, (_, index) => mcpTarget(`default/hostile-${index + 1}`));
  writeManifest(folder, 'hostile.yaml', services.join('---\n'));
  const last = `"default/hostile-${count}"`;
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const { text } = await send({ port, path: '/targets', timeout: 60_000 });
    if (text.includes(last)) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return () => removeManifest(folder, 'hostile.yaml');
}

/** Requests for the gateway's targets, 20 ms apart. */
const maxAttempts = 500;
