import { anything, type Decoder, defaulted, optional, refine } from '../decode/decoder.ts';
import { list } from '../decode/list.ts';
import { type Block, open } from '../decode/mapping.ts';
import type { Report } from '../decode/reporter.ts';
import { ANY_TEXT, text } from '../decode/scalars.ts';
import type { McpPort, Path } from '../model.ts';
import { nearest } from '../nearest.ts';
import { ok, understood } from '../part.ts';
import { quoted } from '../path.ts';
import { portNumber } from '../port-number.ts';

/** What a port of a Service says to become a target; compared exactly. */
const MCP_APP_PROTOCOLS: readonly string[] = [
  'kgateway.dev/mcp',
  'kgateway.dev/mcp-sse',
  'agentgateway.dev/mcp',
  'agentgateway.dev/mcp-sse',
];

/** A port that declares MCP, with what a headless Service has to know about it. */
export interface DeclaredPort {
  readonly part: McpPort;
  readonly targetPort: unknown;
  /** Its position in `spec.ports`. */
  readonly position: number;
}

const fields = {
  port: portNumber,
  protocol: defaulted(text(ANY_TEXT), 'TCP'),
  appProtocol: optional(text(ANY_TEXT)),
  targetPort: anything,
};

/**
 * The ports that declare MCP, in their order. One that is not understood counts as declared: passed over, it would
 * leave its name to the next port, and with the name whatever policies allow under it.
 */
export const declaredPorts: Decoder<readonly DeclaredPort[]> = refine(
  list(open(fields, ['name', 'nodePort'])),
  (ports, at, report) => {
    const seen = new Set<number>();
    const declared: DeclaredPort[] = [];
    for (const [position, port] of ports.entries()) {
      const part = port.ok ? mcpPort(port.value, seen, [...at, position], report) : port;
      const targetPort = port.ok ? understood(port.value.fields.targetPort) : undefined;
      if (part) declared.push({ part, targetPort, position });
    }
    return ok(declared);
  },
);

/** Undefined: the port declares no MCP, or does not count at all. */
function mcpPort(block: Block<typeof fields>, seen: Set<number>, at: Path, report: Report): McpPort | undefined {
  const { port, protocol, appProtocol } = block.fields;
  const isMcp = appProtocol.ok && appProtocol.value !== undefined && MCP_APP_PROTOCOLS.includes(appProtocol.value);
  // The API server makes TCP of an empty protocol, as of an absent one.
  if (protocol.ok && protocol.value !== 'TCP' && protocol.value !== '') {
    const useless = `is ${quoted(protocol.value)}, so that the port is no MCP target: write "TCP".`;
    if (isMcp) report.error([...at, 'protocol'], useless);
    return undefined;
  }
  const again = port.ok && seen.has(port.value);
  if (port.ok) seen.add(port.value);
  if (!protocol.ok) return protocol;
  if (!appProtocol.ok) return appProtocol;
  if (!port.ok) return port;
  if (!isMcp) {
    hint(appProtocol.value ?? '', [...at, 'appProtocol'], report);
    return undefined;
  }
  if (again)
    return report.error([...at, 'port'], `is ${port.value} for the second time: give every port its own number.`);
  return ok({ port: port.value });
}

/** Someone who means MCP and spells it otherwise gets no target, and would not know why. */
function hint(appProtocol: string, at: Path, report: Report): void {
  if (!/mcp/i.test(appProtocol)) return;
  const near = JSON.stringify(nearest(appProtocol, MCP_APP_PROTOCOLS));
  report.warning(at, `is ${quoted(appProtocol)}, which makes no MCP target: write ${near} if it is to be one.`);
}
