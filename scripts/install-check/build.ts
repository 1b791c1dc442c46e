import { execFileSync } from 'node:child_process';
import { cp, mkdir, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Stage } from './dockerfile.ts';

/** Where things are while a Dockerfile is followed. */
export interface BuildPlace {
  /** The build context: the checkout. */
  readonly context: string;
  /** Each stage's root folder is below it, by the stage's name. */
  readonly roots: string;
  /** One line for the person who waits. */
  readonly tell: (line: string) => void;
}

/**
 * Follows the steps of a stage and settles with its root folder. A target that ends with a slash is a folder for files, any
 * other is what the source is called there; COPY itself has more cases, which our Dockerfile does without. What is copied from another stage is moved: nobody
 * needs it there any more, and an installation is large.
 */
export async function build(stage: Stage, place: BuildPlace): Promise<string> {
  const root = join(place.roots, stage.name);
  let workdir = root;
  for (const step of stage.steps) {
    switch (step.kind) {
      case 'workdir':
        workdir = inside(root, workdir, step.path);
        await mkdir(workdir, { recursive: true });
        break;
      case 'run':
        place.tell(`${stage.name}: ${step.command}`);
        execFileSync('sh', ['-c', step.command], { cwd: workdir, stdio: ['ignore', 'ignore', 'inherit'] });
        break;
      case 'copy':
        place.tell(`${stage.name}: copy ${step.sources.join(' ')} to ${step.target}`);
        for (const source of step.sources) {
          const target = inside(
            root,
            workdir,
            step.target.endsWith('/') ? join(step.target, basename(source)) : step.target,
          );
          if (step.from === undefined) await cp(join(place.context, source), target, { recursive: true });
          else await move(join(place.roots, step.from, source), target);
        }
        break;
    }
  }
  return root;
}

/** A path of the image, in the folder that stands for it. */
function inside(root: string, workdir: string, path: string): string {
  return path.startsWith('/') ? join(root, path) : join(workdir, path);
}

async function move(source: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await rename(source, target);
}
