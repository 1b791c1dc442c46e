import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { controlPlane } from '../../src/demo/control-plane.ts';
import { prepareGuide } from '../../src/demo/guide.ts';
import { type Program, startProgram } from '../../src/demo/programs.ts';

/** What an image's entry point comes to outside of a container. */
interface EntryPoint {
  /** The program's entry file. */
  readonly entry: string;
  /** What the entry point says after it, before a container's own arguments. */
  readonly words: readonly string[];
}

export interface ProgramsSetting {
  /** The folder of the guide's manifests. */
  readonly manifests: string;
  /** An existing folder for the programs' logs. */
  readonly logs: string;
  readonly tell: (line: string) => void;
  readonly commandOf: (target: string) => EntryPoint;
  /** Rejects when somebody wants it to end. */
  readonly asked: Promise<never>;
}

type Start = (target: string, args: readonly string[], environment?: Readonly<Record<string, string>>) => Program;

/**
 * Starts the control plane, the gateway and the tool as their images would, waits until the gateway holds what the
 * control plane serves, and stops all three. Rejects when one of them ends early, or does not stop when it is asked to.
 */
export async function runPrograms(setting: ProgramsSetting): Promise<void> {
  const died = Promise.withResolvers<never>();
  died.promise.catch(() => undefined);
  const running: Program[] = [];
  const commands: string[] = [];
  let over = false;
  const start: Start = (target, args, environment = {}) => {
    if (over) throw new Error(`${target} is not started any more`);
    const { entry, words } = setting.commandOf(target);
    const [command = '', ...rest] = [...words, ...args];
    setting.tell(`start ${target}: ${[...words, ...args].join(' ')}`);
    const source = {
      entry,
      logs: setting.logs,
      environment: { ...process.env, ...environment },
      unexpectedExit: (message: string) => died.reject(new Error(message)),
    };
    const program = startProgram(source, command, rest);
    running.push(program);
    commands.push(command);
    return program;
  };
  const talked = talk(setting, start);
  try {
    await Promise.race([talked, died.promise, setting.asked]);
  } finally {
    over = true;
    await Promise.all(running.map((program) => program.stop()));
    // Its own folder goes with its end, which is near when nobody is left to talk to.
    await Promise.allSettled([talked]);
  }
  for (const command of commands) {
    const log = await readFile(join(setting.logs, `${command}.log`), 'utf8');
    if (!log.includes('"message":"stopped"')) throw new Error(`gatehouse ${command} did not stop:\n${log}`);
  }
  setting.tell('all three stopped when they were asked to');
}

async function talk({ manifests, tell }: ProgramsSetting, start: Start): Promise<void> {
  const guide = await prepareGuide(manifests, 0);
  try {
    const tool = start('mcp-tool', [
      ...(await argumentsIn(manifests, '5-mcp-tool.yaml')),
      // The last value of a flag counts.
      '--host=127.0.0.1',
      '--port=0',
    ]);
    const listeners = ['xds', 'debug', 'metrics', 'admin'];
    const onLoopback = listeners.map((name) => `--${name}-listen=127.0.0.1:0`);
    const serve = start('gatehouse', ['serve', '-f', manifests, ...onLoopback]);
    const [xds, debug, metrics] = await Promise.all(['xds', 'debug', 'metrics'].map((name) => serve.listening(name)));
    const toolAddress = await tool.listening('mcp');
    tell(`the control plane listens on ${xds}, the tool on ${toolAddress}`);
    const gateway = start(
      'mcp-gateway',
      [
        ...(await argumentsIn(manifests, '4-mcp-gateway.yaml')),
        `--mount=/config=${guide.mounted}`,
        `--resolve=kgateway.kgateway-system.svc.cluster.local:9977=${xds}`,
        `--resolve=mcp-tool.default.svc.cluster.local:8080=${toolAddress}`,
        '--admin-listen=127.0.0.1:0',
      ],
      { POD_NAMESPACE: 'default', POD_NAME: 'mcp-gateway', NODE_NAME: 'mcp-gateway', GW_NAME: 'mcp-gateway' },
    );
    tell(`the gateway listens on ${await gateway.listening('mcp')}`);
    const { version } = await controlPlane(String(debug), 'default/mcp-gateway').acknowledged(undefined);
    tell(`the gateway holds ${version}`);
    // Nothing is acknowledged before the control plane is ready.
    const ready = await fetch(`http://${metrics}/readyz`);
    if (!ready.ok) throw new Error(`/readyz answers ${ready.status}: ${await ready.text()}`);
    tell('/readyz answers 200');
  } finally {
    await guide.discard();
  }
}

/** What the guide's Deployment in that file gives its container. */
async function argumentsIn(manifests: string, file: string): Promise<readonly string[]> {
  const text = await readFile(join(manifests, file), 'utf8');
  const deployment = parseAllDocuments(text).find((document) => document.get('kind') === 'Deployment');
  const found: unknown = deployment?.toJS().spec.template.spec.containers[0].args;
  if (!Array.isArray(found)) throw new Error(`${file} has no Deployment with arguments`);
  return found.map(String);
}
