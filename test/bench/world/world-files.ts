import { mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mcpClass, mcpGateway, mcpPort, serviceWith, together } from '../../support/worlds/manifests.ts';

/** A temporary folder of manifests: one file with all Gateways, and files of ten Services each. */
export interface WorldFiles {
  readonly folder: string;
  /** Name of the target that `edit` changes. */
  readonly edited: string;
  /** Changes the port of one Service by replacing its file (rename), as editors save. */
  edit(port: number): void;
}

const servicesPerFile = 10;

/** Creates Gateways `default/gw-0`, `default/gw-1`… (or one, `default/gw`) and Services in ten namespaces. */
export function createWorldFiles(gateways: number, services: number): WorldFiles {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  const names = gateways === 1 ? ['gw'] : numbers(gateways).map((at) => `gw-${at}`);
  write('gateways.yaml', together(mcpClass, ...names.map((name) => mcpGateway(`default/${name}`))));
  for (const file of numbers(Math.ceil(services / servicesPerFile)))
    write(`services-${file}.yaml`, servicesOf(file, 80));
  return {
    folder,
    edited: serviceName(0),
    edit(port) {
      write('.edited', servicesOf(0, port));
      renameSync(join(folder, '.edited'), join(folder, 'services-0.yaml'));
    },
  };
}

/** @param port of the file's first Service; the others have 80 */
function servicesOf(file: number, port: number): string {
  return together(
    ...numbers(servicesPerFile).map((at) => {
      const ports = `[${mcpPort(at === 0 ? port : 80)}]`;
      return serviceWith(serviceName(file * servicesPerFile + at), `{ clusterIP: "10.0.0.1", ports: ${ports} }`);
    }),
  );
}

function serviceName(at: number): string {
  return `ns-${at % 10}/tool-${at}`;
}

function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => at);
}
