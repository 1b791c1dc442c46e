import { describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { commands } from '../../src/cli/commands.ts';
import { logFlags } from '../../src/cli/flags/log-flags.ts';
import { cli } from '../support/processes/terminal.ts';

describe('gatehouse', () => {
  it.each([[], ['--help'], ['-h'], ['help']])('lists the commands with %j', async (...args) => {
    const { code, stdout, stderr } = await cli(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const { name, summary } of commands) expect(stdout).toMatch(new RegExp(`^ +${name} +${summary}$`, 'm'));
  });

  it.each([['--version'], ['serve', '--version']])('prints its version with %j', async (...args) => {
    expect(await cli(args)).toEqual({ code: 0, stdout: `${packageJson.version}\n`, stderr: '' });
  });
});

describe.each(commands)('gatehouse $name --help', ({ name, examples, flags }) => {
  it('shows examples, and every flag with its environment variable and its default', async () => {
    const { code, stdout, stderr } = await cli([name, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      expect(example).toMatch(new RegExp(`^gatehouse ${name}\\b`));
      expect(stdout).toContain(`  ${example}\n`);
    }
    const lines = stdout.split('\n');
    for (const flag of [...flags, ...logFlags]) {
      const at = lines.findIndex((line) => new RegExp(`^  (-\\w, )?--${flag.name}( |$)`).test(line));
      expect(lines[at], flag.name).toContain(flag.value ?? '');
      const explanation = lines[at + 1];
      expect(explanation).toContain(`GATEHOUSE_${flag.name.replaceAll('-', '_').toUpperCase()}`);
      if (flag.default !== undefined) expect(explanation).toContain(`default ${flag.default}`);
      if (flag.repeatable) expect(explanation).toContain('repeatable');
    }
  });

  it('shows examples that can be parsed', async () => {
    for (const example of examples) {
      const [, ...args] = example.split(' ');
      const { code, stdout } = await cli([...args, '--help']);
      expect({ code, stdout: stdout.slice(0, 9) }).toEqual({ code: 0, stdout: 'gatehouse' });
    }
  });
});
