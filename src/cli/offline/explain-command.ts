import type { OfflineWorld } from '../../app/offline.ts';
import type { AccessRequest, Claims } from '../../explain/model.ts';
import { oneOf } from '../flag-values.ts';
import { type Flag, type FlagValues, UsageError } from '../flags.ts';
import { inputFlags } from '../input-flags.ts';
import { systemClock } from '../system-clock.ts';
import type { ExitCode, Terminal } from '../terminal.ts';
import { translationFlags } from '../translation-flags.ts';
import { type Answer, answerQuestion } from './answer.ts';
import { answerJson, answerText } from './answer-reports.ts';
import { styleOf } from './style.ts';
import { openWorld, readText } from './world.ts';

export const explainFlags: readonly Flag[] = [
  {
    name: 'filename',
    short: 'f',
    value: '<file, folder or ->',
    repeatable: true,
    help: 'the manifests; the first definition of an object is used',
  },
  { name: 'gateway', value: '<namespace>/<name>', help: 'the Gateway that is called; not needed when there is one' },
  { name: 'claims', value: '<JSON>', help: "the claims of the caller's token" },
  { name: 'token', value: '<JWT or ->', help: "the caller's token, which is decoded and not verified" },
  { name: 'tool', value: '<target>:<tool>', help: 'the tool that is called' },
  { name: 'prompt', value: '<target>:<prompt>', help: 'the prompt that is asked for' },
  { name: 'resource', value: '<target>:<URI>', help: 'the resource that is read' },
  { name: 'output', short: 'o', value: '<format>', default: 'text', help: 'text or json' },
  { name: 'exit-code', default: 'false', help: 'whether the exit code is 1 when nothing is allowed' },
  ...inputFlags.filter(({ name }) => name === 'namespace'),
  ...translationFlags,
];

/** Runs `explain`: 1 with `--exit-code` when nothing is allowed. */
export async function runExplain(flags: FlagValues, terminal: Terminal): Promise<ExitCode> {
  const format = oneOf('output', flags.text('output'), ['text', 'json']);
  const filenames = flags.list('filename');
  if (filenames.length === 0) throw new UsageError('say which manifests to read: -f <file or folder>.');
  const request = requestOf(flags);
  const caller = await callerOf(flags, terminal);
  const world = await openWorld(filenames, flags, terminal);
  const gateway = gatewayOf(flags.optional('gateway'), world);
  const answer = await answerQuestion(world, { gateway, request, claims: caller?.claims });
  const notes = [...(caller?.notes ?? []), ...inputNotes(world)];
  const shown = caller?.fromToken === true ? caller.claims : undefined;
  const text =
    format === 'json' ? answerJson(answer, notes, shown) : answerText(answer, notes, shown, styleOf(terminal));
  terminal.stdout.write(`${text}\n`);
  return flags.on('exit-code') && !allowsSomething(answer) ? 1 : 0;
}

function inputNotes({ inputErrors }: OfflineWorld): readonly string[] {
  if (inputErrors === 0) return [];
  const errors = inputErrors === 1 ? 'an error' : `${inputErrors} errors`;
  return [`The manifests have ${errors}, and what is invalid is left out: gatehouse check lists them.`];
}

function requestOf(flags: FlagValues): AccessRequest | undefined {
  const asked = (['tool', 'prompt', 'resource'] as const).flatMap((kind) => {
    const name = flags.optional(kind);
    return name === undefined ? [] : [{ kind, name }];
  });
  if (asked.length > 1) throw new UsageError('ask for one thing: --tool, --prompt or --resource.');
  return asked[0];
}

interface Caller {
  readonly claims: Claims;
  readonly fromToken: boolean;
  readonly notes: readonly string[];
}

async function callerOf(flags: FlagValues, terminal: Terminal): Promise<Caller | undefined> {
  const [claims, token] = [flags.optional('claims'), flags.optional('token')];
  if (claims !== undefined && token !== undefined) {
    throw new UsageError('say who calls by --claims or by --token, one of the two.');
  }
  if (claims === undefined && token === undefined) return undefined;
  // Loaded on demand: no other command needs the package that decodes tokens.
  const { claimsOfJson, claimsOfToken, tokenNotes } = await import('./token.ts');
  if (claims !== undefined) return { claims: claimsOfJson(claims), fromToken: false, notes: [] };
  if (token === '-' && flags.list('filename').includes('-')) {
    throw new UsageError('standard input is either the token or a manifest: give one of the two as a file.');
  }
  const decoded = claimsOfToken(token === '-' ? await readText(terminal.stdin) : (token ?? ''));
  return { claims: decoded, fromToken: true, notes: tokenNotes(decoded, systemClock.now()) };
}

/**
 * The Gateway that is asked about: the one of ours, when there is one only. Without any, the only other one: its class is
 * probably misspelt, and the answer says so.
 */
function gatewayOf(name: string | undefined, { explainer }: OfflineWorld): string {
  if (name !== undefined) return name.includes('/') ? name : `default/${name}`;
  const own = explainer.gateways();
  const [only, ...others] = own.length === 0 ? explainer.foreignGateways() : own;
  if (only === undefined) {
    throw new UsageError('there is no Gateway in these manifests: gatehouse check says what there is.');
  }
  if (others.length > 0) {
    const names = [only, ...others].slice(0, 10).join(', ');
    throw new UsageError(`say which of the ${others.length + 1} Gateways is called: --gateway, one of ${names}.`);
  }
  return only;
}

function allowsSomething(answer: Answer): boolean {
  return answer.verdict === 'grants' ? answer.grants.length > 0 : answer.verdict === 'allowed';
}
