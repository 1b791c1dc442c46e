import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { cli } from '../support/processes/terminal.ts';

/** What bash offers for a line, whose last word is being written. */
async function offers(...words: readonly string[]): Promise<readonly string[]> {
  const { stdout: script } = await cli(['completion', 'bash']);
  const line = ['gatehouse', ...words];
  const program = `${script}
COMP_WORDS=(${line.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${line.length - 1}
_gatehouse; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-c', program], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.split('\n').filter((word) => word !== '');
}

describe('completion in bash', () => {
  it('offers the commands', async () => {
    expect(await offers('')).toEqual([...commands.map(({ name }) => name), '--help', '--version']);
    expect(await offers('tr')).toEqual(['translate']);
  });

  it('offers the flags of each command', async () => {
    for (const { name, flags } of commands) {
      const offered = await offers(name, '--');
      for (const flag of flags) expect(offered).toContain(`--${flag.name}`);
      expect(offered).toContain('--log-level');
    }
    expect(await offers('explain', '--to')).toEqual(['--token', '--tool']);
  });

  it('offers files where a value or a file is written, and words where these are known', async () => {
    expect(await offers('check', 'package.js')).toEqual(['package.json']);
    expect(await offers('explain', '-f', 'package.js')).toEqual(['package.json']);
    expect(await offers('completion', 'z')).toEqual(['zsh']);
  });
});

describe('the scripts of other shells', () => {
  it('name every command and flag', async () => {
    for (const shell of ['zsh', 'fish']) {
      const { code, stdout } = await cli(['completion', shell]);
      expect(code).toBe(0);
      for (const { name, flags } of commands) {
        expect(stdout).toContain(name);
        for (const flag of flags) expect(stdout).toContain(shell === 'fish' ? `-l ${flag.name}` : `--${flag.name}[`);
      }
    }
  });

  it.each(['zsh', 'fish'])('are understood by %s where it is installed', async (shell) => {
    const { stdout } = await cli(['completion', shell]);
    const { error, status, stderr } = spawnSync(shell, ['--no-execute'], { input: stdout, encoding: 'utf8' });
    if (error === undefined) expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    // A quotation that is left open would be the mistake of either.
    expect((stdout.match(/'/g)?.length ?? 0) % 2).toBe(0);
  });

  it.each([
    [['completion'], /say which shell: gatehouse completion bash\|zsh\|fish/],
    [['completion', 'tcsh'], /is one of bash, zsh, fish, not "tcsh"/],
  ])('are for these shells only: %j', async (args, message) => {
    const { code, stderr } = await cli(args);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) });
  });
});
