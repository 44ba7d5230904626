/** How fast answers to a query are written, apart from everything else. */
import { answer, encodeDataSet, transferSyntaxes, type DataSet } from '@scanflow/dicom';
import { item } from '../integration/worklist-support.ts';

const DIFFERENT = 1_000;
const WARM_UP = 10;
const ROUNDS = 50;

/**
 * Answers to this query that are written in a second of this processor's time: the least of both little endian syntaxes
 * and the character sets of most scanners.
 */
export function encodedPerSecond(query: DataSet): number {
  const answers = Array.from({ length: DIFFERENT }, (_, index) =>
    answer(query, item(`E${index}`, { patientName: `Müller^${index}` })),
  );
  const { explicitVRLittleEndian, implicitVRLittleEndian } = transferSyntaxes;
  const rates = [explicitVRLittleEndian, implicitVRLittleEndian].flatMap((syntax) =>
    ['ISO_IR 100', 'ISO_IR 192'].map((characterSet) => {
      const write = (): void => {
        for (const one of answers) encodeDataSet(one, syntax, characterSet);
      };
      for (let round = 0; round < WARM_UP; round += 1) write();
      const before = process.cpuUsage();
      for (let round = 0; round < ROUNDS; round += 1) write();
      const { user, system } = process.cpuUsage(before);
      return (ROUNDS * DIFFERENT) / ((user + system) / 1e6);
    }),
  );
  return Math.min(...rates);
}
