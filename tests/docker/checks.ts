/** What the tests of every compose stack look at. */
import assert from 'node:assert/strict';
import { dcmtk } from '@scanflow/testkit';
import type { Container, Project } from './engine.ts';

/** Where the stack does not come up, what its containers said goes along with the error. */
export async function orLogs<T>(project: Project, up: () => Promise<T>): Promise<T> {
  return up().catch(async (error: unknown) => {
    console.error(await project.compose('logs', '--no-color', '--tail', '30').catch(String));
    throw error;
  });
}

/** What compose.yaml asks for every container. */
export function assertHardened(service: string, { Config, HostConfig }: Container): void {
  const who = (what: string): string => `${service}: ${what}`;
  assert.equal(HostConfig.ReadonlyRootfs, true, who('read-only root'));
  assert.equal(HostConfig.Privileged, false, who('not privileged'));
  assert.deepEqual(HostConfig.CapDrop, ['ALL'], who('capabilities dropped'));
  assert.deepEqual(HostConfig.SecurityOpt, ['no-new-privileges:true'], who('no new privileges'));
  assert.equal(HostConfig.Init, true, who('init'));
  assert.ok((HostConfig.PidsLimit ?? 0) > 0, who('limit of processes'));
  assert.equal(HostConfig.LogConfig.Type, 'json-file', who('log driver'));
  assert.deepEqual(HostConfig.LogConfig.Config, { 'max-file': '5', 'max-size': '10m' }, who('log rotation'));
  assert.ok(!Config.Env.some((entry) => /pass(word)?=|secret.*=/i.test(entry)), who('no secret in env'));
}

/** Answers of a worklist query by this AE title, as text. */
export async function findscu(port: number, aet: string, date = ''): Promise<string> {
  const step = 'ScheduledProcedureStepSequence[0]';
  const keys = ['PatientID', 'AccessionNumber', `${step}.ScheduledProcedureStepStartDate=${date}`];
  const args = ['-W', '-aet', aet, '-aec', 'SCANFLOW', ...keys.flatMap((key) => ['-k', key])];
  const { stdout, stderr } = await dcmtk('findscu', [...args, '127.0.0.1', String(port)]);
  return stdout + stderr;
}
/** The patient IDs that an answer of findscu names. */
export const patientIds = (output: string): string[] =>
  [...output.matchAll(/\(0010,0020\) LO \[([^\]]+)\]/g)].map(([, id]) => id?.trim() ?? '').toSorted();
