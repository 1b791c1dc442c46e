import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownKeys } from '../agentgateway/agentgateway-caller.ts';
import { type GuidePrograms, startGuideWith } from '../processes/guide-programs.ts';
import { type McpGwProcess, type McpGwSettings, startClusterProxy, startMcpGw } from './mcp-gw-process.ts';

/** Whose tokens the gateway accepts: those of the guide, or of the test's own issuer. */
export type Signer = 'guide' | 'own';

/**
 * Starts the guide's programs with the gateway of spring 2025. The manifests are the guide's, word for word, and so is
 * `config.json` but for the addresses and the folder of the key.
 */
export function startMcpGwGuide(signer: Signer = 'guide'): Promise<GuidePrograms<McpGwProcess>> {
  return startGuideWith(
    async ({ mounted }, { xds, tool }) => {
      const proxy = await startClusterProxy({ 'mcp-tool.default.svc.cluster.local:8080': tool });
      const text = readFileSync(join(mounted, 'config.json'), 'utf8').replaceAll('/config/', `${mounted}/`);
      const config = configFor(text, xds, signer);
      const gateway = await startMcpGw({ file: join(mounted, 'mcp-gw.json'), config, proxy: proxy.url });
      return {
        ...gateway,
        async [Symbol.asyncDispose]() {
          await gateway.kill();
          proxy[Symbol.dispose]();
        },
      };
    },
    ['--settle=0s'],
  );
}

function configFor(text: string, xds: string, signer: Signer): McpGwSettings['config'] {
  const config = JSON.parse(text);
  const { listener } = config;
  const authn = signer === 'guide' ? listener.authn : ownIssuer;
  return { ...config, xds_address: `http://${xds}`, listener: { ...listener, authn } };
}

/** Authentication by the key of the test's own issuer: these gateways take one key, not a set of them. */
export const ownIssuer: object = {
  type: 'jwt',
  issuer: ['own'],
  audience: ['me.com'],
  jwks: { type: 'local', source: { type: 'inline', data: JSON.stringify(JSON.parse(ownKeys).keys[0]) } },
};
