import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { cli } from '../support/processes/terminal.ts';

/** Shells are asked themselves, where they are installed: bash is everywhere. */
type Shell = 'bash' | 'zsh' | 'fish';

function isInstalled(shell: Shell): boolean {
  return spawnSync(shell, ['--version']).error === undefined;
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-completion-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a shell offers for a line, whose last word is being written; sorted. */
async function offers(shell: Shell, line: string): Promise<readonly string[]> {
  const script = join(folder, 'completion');
  writeFileSync(script, (await cli(['completion', shell])).stdout);
  const { status, stdout, stderr } = asked[shell](script, line);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const words = stdout.split('\n').map((offer) => offer.split('\t', 1)[0]?.replace(/^--[\w-]+=/, '') ?? '');
  return [...new Set(words.filter((word) => word !== ''))].sort();
}

type Ran = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

const asked: Readonly<Record<Shell, (script: string, line: string) => Ran>> = {
  bash: (script, line) => {
    // As readline divides a line: at blanks, and around an equals sign.
    const words = line.split(/ |(=)/).filter((word) => word !== undefined);
    const list = words.map((word) => `'${word}'`).join(' ');
    const program = `source ${script}; COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}
_gatehouse; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return run('bash', ['--norc', '-c', program]);
  },
  zsh: (script, line) => {
    const file = join(folder, 'ask');
    writeFileSync(file, askZsh);
    return run('zsh', ['-f', file, script, line, join(folder, 'dump')]);
  },
  fish: (script, line) => run('fish', ['--no-config', '-c', `source ${script}; complete -C ${JSON.stringify(line)}`]),
};

function run(shell: string, args: readonly string[]): Ran {
  return spawnSync(shell, args, { encoding: 'utf8', timeout: 60_000 });
}

/**
 * Starts zsh at a terminal of its own, writes down what completion adds for a line, and ends it: zsh completes nowhere
 * else. Calls of compadd that only ask (-O, -A, -D) add nothing.
 */
const askZsh = String.raw`
zmodload zsh/zpty
out=$(mktemp)
zpty asked 'HISTFILE= zsh -f -i'
zpty -w asked "PROMPT= ; autoload -Uz compinit; compinit -u -d ${'$'}{(q)3}; source ${'$'}{(q)1}"
zpty -w asked 'compadd() {
  if [[ " $argv " == *" -"(O|A|D)" "* ]]; then builtin compadd "$@"; return; fi
  local -a offered; builtin compadd -O offered "$@"; print -rl -- $offered >>'${'$'}{(q)out}'
  builtin compadd "$@"
}
ask() { BUFFER='${'$'}{(qq)2}'; CURSOR=$#BUFFER; zle complete-word; kill -9 $$ }
zle -N ask; bindkey "^X" ask'
zpty -w -n asked $'\x18'
while zpty -r asked seen; do :; done
cat $out; rm -f $out
`;

const names = commands.map(({ name }) => name);

describe.each(['bash', 'zsh', 'fish'] as const)('completion in %s', (shell) => {
  const inShell = it.skipIf(!isInstalled(shell));

  inShell('offers the commands, and the flags before them', async () => {
    expect(await offers(shell, 'gatehouse ')).toEqual(expect.arrayContaining(names));
    expect(await offers(shell, 'gatehouse tr')).toEqual(['translate']);
    expect(await offers(shell, 'gatehouse --')).toEqual(['--help', '--version']);
  });

  inShell('offers the flags of each command, and none of another', { timeout: 120_000 }, async () => {
    for (const { name, flags } of commands) {
      const own = [...flags.map((flag) => `--${flag.name}`), '--help', '--log-format', '--log-level'];
      expect(await offers(shell, `gatehouse ${name} --`)).toEqual(own.sort());
    }
    expect(await offers(shell, 'gatehouse check serve --cl')).toEqual(['--cluster', '--cluster-domain']);
  });

  inShell.each([
    ['explain --to', ['--token', '--tool']],
    ['explain -f manifests/ --to', ['--token', '--tool']],
    ['check package.js', ['package.json']],
    ['explain -f package.js', ['package.json']],
    ['explain --filename=package.js', ['package.json']],
    ['check -o ', ['github', 'json', 'text']],
    ['check --output=g', ['github']],
    ['serve --log-level w', ['warn']],
    ['completion z', ['zsh']],
    ['keys ', ['new']],
    ['serve package.js', []],
    ['explain --gateway package.js', []],
  ])('offers what may stand there: gatehouse %s', async (line, words) => {
    expect(await offers(shell, `gatehouse ${line}`)).toEqual(words);
  });
});

describe('the scripts of shells', () => {
  it('name every command and flag', async () => {
    for (const shell of ['zsh', 'fish']) {
      const { code, stdout } = await cli(['completion', shell]);
      expect(code).toBe(0);
      for (const { name, flags } of commands) {
        expect(stdout).toContain(name);
        for (const flag of flags) expect(stdout).toContain(shell === 'fish' ? `-l ${flag.name}` : `--${flag.name}`);
      }
    }
  });

  it.each([
    [['completion'], /say which shell: gatehouse completion bash\|zsh\|fish/],
    [['completion', 'tcsh'], /is one of bash, zsh, fish, not "tcsh"/],
  ])('are for these shells only: %j', async (args, message) => {
    const { code, stderr } = await cli(args);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) });
  });
});
