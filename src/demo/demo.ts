import { connectAgent } from './agent.ts';
import { controlPlane } from './control-plane.ts';
import { type Guide, guideToken, prepareGuide } from './guide.ts';
import { portsInUse } from './ports.ts';
import { type Program, type ProgramSource, startProgram } from './programs.ts';
import { runStory, StoryError } from './story.ts';

export interface DemoOptions {
  /** Stops after the story instead of waiting for `stopRequested`. */
  readonly once: boolean;
  /** The gateway's listener port instead of the guide's. */
  readonly port: number | undefined;
  /** The folder of the guide's manifests. */
  readonly manifests: string;
  /** The entry file of `gatehouse`. */
  readonly entry: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Prints a line for the user. */
  readonly print: (line: string) => void;
  /** Resolves when the user wants the demo to stop. */
  readonly stopRequested: Promise<void>;
}

/**
 * `diverged`: a step's result differed from the guide. `failed`: a port is in use, or a program did not start or ended
 * early.
 */
export type DemoOutcome =
  | { readonly kind: 'completed' }
  | { readonly kind: 'diverged' | 'failed'; readonly message: string };

const xdsAddress = '127.0.0.1:9977';
const debugAddress = '127.0.0.1:9097';

/** Starts the three programs, runs the story, and stops them in every case. */
export async function runDemo(options: DemoOptions): Promise<DemoOutcome> {
  const guide = await prepareGuide(options.manifests, options.port);
  const inUse = await portsInUse(neededPorts(guide));
  if (inUse.length > 0) {
    await guide.discard();
    return { kind: 'failed', message: inUse.join('\n') };
  }
  const exited = Promise.withResolvers<DemoOutcome>();
  const programs: Program[] = [];
  const source: ProgramSource = {
    entry: options.entry,
    logs: guide.logs,
    environment: options.environment,
    unexpectedExit: (message) => exited.resolve({ kind: 'failed', message }),
  };
  const stopped = options.stopRequested.then((): DemoOutcome => ({ kind: 'completed' }));
  try {
    return await Promise.race([startAndRunStory(options, guide, source, programs), exited.promise, stopped]);
  } finally {
    await Promise.all(programs.toReversed().map((program) => program.stop()));
    await guide.discard();
    options.print('Everything has stopped.');
  }
}

async function startAndRunStory(
  options: DemoOptions,
  guide: Guide,
  source: ProgramSource,
  programs: Program[],
): Promise<DemoOutcome> {
  try {
    options.print("Starting the control plane, the MCP gateway and the sample tool on the guide's manifests …");
    await startPrograms(guide, source, programs);
    options.print('');
    await runStory({
      guide,
      controlPlane: controlPlane(debugAddress, 'default/mcp-gateway'),
      connect: () => connectAgent(endpointOf(guide), guideToken),
      print: options.print,
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { kind: error instanceof StoryError ? 'diverged' : 'failed', message };
  }
  if (options.once) return { kind: 'completed' };
  for (const line of instructions(guide)) options.print(line);
  await options.stopRequested;
  return { kind: 'completed' };
}

/** Starts the three programs. Flags replace what a cluster provides: the mounted ConfigMap, DNS names and ports. */
async function startPrograms(guide: Guide, source: ProgramSource, programs: Program[]): Promise<void> {
  const start = (command: string, args: readonly string[], environment = {}): Program => {
    const program = startProgram({ ...source, environment: { ...source.environment, ...environment } }, command, args);
    programs.push(program);
    return program;
  };
  const tool = start('mcp-tool', [
    '--sse',
    '--host=127.0.0.1',
    '--port=0',
    '--allow-host=mcp-tool.default.svc.cluster.local',
  ]);
  const serve = start('serve', ['-f', guide.watched, `--xds-listen=${xdsAddress}`, `--debug-listen=${debugAddress}`]);
  const toolAddress = await tool.listening('mcp');
  await serve.listening('xds');
  const gateway = start(
    'gateway',
    [
      '--file=/config/config.json',
      `--mount=/config=${guide.mounted}`,
      `--resolve=kgateway.kgateway-system.svc.cluster.local:9977=${xdsAddress}`,
      `--resolve=mcp-tool.default.svc.cluster.local:8080=${toolAddress}`,
    ],
    { POD_NAMESPACE: 'default', POD_NAME: 'mcp-gateway', NODE_NAME: 'mcp-gateway', GW_NAME: 'mcp-gateway' },
  );
  await gateway.listening('mcp');
}

function neededPorts({ gatewayPort }: Guide): Parameters<typeof portsInUse>[0] {
  const stop = 'stop what has it';
  return [
    { host: '127.0.0.1', port: 9977, what: 'where gateways connect', remedy: stop },
    { host: '127.0.0.1', port: 9097, what: 'the debug endpoint', remedy: stop },
    { host: '127.0.0.1', port: 9098, what: 'gRPC for operators', remedy: stop },
    { host: '0.0.0.0', port: 9092, what: 'health and metrics', remedy: stop },
    { host: '127.0.0.1', port: 19000, what: "the gateway's admin endpoint", remedy: stop },
    {
      host: '0.0.0.0',
      port: gatewayPort,
      what: "the gateway's listener",
      remedy: 'choose another with npm start -- --port <port>',
    },
  ];
}

function endpointOf({ gatewayPort }: Guide): string {
  return `http://127.0.0.1:${gatewayPort}/sse`;
}

/** Returns how to try the running demo by hand. */
function instructions(guide: Guide): string[] {
  const endpoint = endpointOf(guide);
  return [
    '',
    'Everything stays up. Try it by hand:',
    `  MCP endpoint   ${endpoint} (HTTP+SSE), ${endpoint.replace('/sse', '/mcp')} (Streamable HTTP)`,
    `  Token          ${guideToken}`,
    `  Inspector      npx @modelcontextprotocol/inspector --cli ${endpoint} --transport sse \\`,
    '                   --header "Authorization: Bearer <token>" --method tools/list',
    `  Snapshot       http://${debugAddress}/snapshots/xds?pretty`,
    `  Gateway        http://127.0.0.1:19000/targets, /rbac, /listeners`,
    `  Manifests      ${guide.watched} (copy the policy in: cp deploy/examples/guide/6-mcpauthpolicy.yaml ${guide.watched}/)`,
    `  Logs           ${guide.logs}`,
    'Ctrl-C stops everything.',
  ];
}
