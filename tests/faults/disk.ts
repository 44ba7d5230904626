/** File systems that tests may spoil: they take root, and go when the test ends. */
import { mkdtemp, mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { run } from '@scanflow/testkit';

export interface Disk {
  /** Where it is mounted. */
  readonly path: string;
  remount(options: string): Promise<void>;
  unmount(): Promise<void>;
  mount(): Promise<void>;
  /**
   * As if its plug were pulled: what was not synchronised is lost, everything gives an input/output error from now on.
   * Unmounted and mounted again, it works. Only of an ext4.
   */
  pullPlug(): Promise<void>;
}

/** Undefined, and the test skipped for a reason in capitals, where this machine does not mount it. */
export async function makeDisk(
  t: TestContext,
  { kind, megabytes }: { kind: 'tmpfs' | 'ext4'; megabytes: number },
): Promise<Disk | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-disk-'));
  const [path, image] = [join(folder, 'mounted'), join(folder, 'image')];
  await mkdir(path);
  const format = async (): Promise<boolean> => {
    if (kind === 'tmpfs') return true;
    await writeFile(image, '');
    await truncate(image, megabytes * 1024 * 1024);
    return (await run('mkfs.ext4', ['-q', '-F', image])).code === 0;
  };
  const arguments_ =
    kind === 'tmpfs'
      ? ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path]
      : ['-o', 'loop', image, path];
  const mounted = (await format().catch(() => false)) && (await run('mount', arguments_)).code === 0;
  t.after(async () => {
    // one mount may lie over another
    while ((await run('umount', ['-l', path])).code === 0);
    await rm(folder, { recursive: true });
  });
  if (!mounted) {
    t.skip(`NOT RUN: THIS TAKES ROOT AND A ${kind.toUpperCase()} TO MOUNT`);
    return undefined;
  }
  const must = async (program: string, args: readonly string[]): Promise<void> => {
    const { code, stderr } = await run(program, args);
    if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  };
  const mount = (): Promise<void> => must('mount', arguments_);
  const unmount = (): Promise<void> => must('umount', ['-l', path]);
  return {
    path,
    mount,
    unmount,
    remount: (options) => must('mount', ['-o', `remount,${options}`, path]),
    pullPlug: () => must('python3', ['-c', SHUTDOWN, path]),
  };
}

/** EXT4_IOC_SHUTDOWN with NOLOGFLUSH: the journal is not written out before. */
const SHUTDOWN = `
import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack("I", 2))
`;
