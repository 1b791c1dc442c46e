import type { McpToolOptions } from '../../mcp-tool/model.ts';
import { wholeNumber } from '../flag-values.ts';
import type { Flag, FlagValues } from '../flags.ts';

/** The flags of `mcp-tool`. */
export const mcpToolFlags: readonly Flag[] = [
  { name: 'sse', help: 'accepted as in the guide; HTTP+SSE and Streamable HTTP are always served' },
  { name: 'host', value: '<address>', default: '127.0.0.1', help: 'where to listen' },
  { name: 'port', value: '<port>', default: '3001', help: 'the port; 0 picks a free one' },
  { name: 'allow-private-addresses', help: 'also fetch from addresses that are not public' },
  {
    name: 'allow-host',
    value: '<name>',
    repeatable: true,
    help: 'host name that clients may use for a server on loopback, such as that of a proxy',
  },
];

/** Decodes the flags of `mcp-tool`. */
export function mcpToolOptions(flags: FlagValues, version: string): McpToolOptions {
  return {
    host: flags.text('host'),
    port: wholeNumber('port', flags.text('port'), 0, 65_535),
    allowPrivateAddresses: flags.on('allow-private-addresses'),
    allowedHosts: flags.list('allow-host'),
    version,
  };
}
