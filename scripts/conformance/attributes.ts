/** Attributes: keys of the worklist, and what an item made from a booking holds. */
import { keywordOf, sopClasses, worklistAttributes, worklistItem, type DataSet } from '@scanflow/dicom';
import { attributeCells, table } from './markdown.ts';

export const matchingTable = (): string =>
  table(
    ['Kind of matching (PS3.4 C.2.2.2)', 'Where'],
    [
      ['single value', 'every key; DS and IS by their number'],
      ['list of UID', 'UI; likewise several values of other keys: one of them must be there'],
      ['universal', 'a key without value, and `*`'],
      ['wild card', '`*` and `?` in AE, CS, LO, LT, PN, SH, ST, UC, UR, UT; `?` is a character, not a byte'],
      ['range', 'DA, TM, DT; `a-b`, `a-`, `-b`'],
      [
        'combined date and time',
        'Scheduled Procedure Step Start Date and Time, if both are ranges: one period, whose times may run backwards (PS3.4 K.6-1)',
      ],
      ['sequence', 'every SQ, to any depth; an item must match all keys of the key’s item'],
      ['person names', 'by component groups; upper and lower case by `worklist.nameCase`'],
      ['texts', 'as characters, whatever character sets query and item use'],
    ],
  );

export const keyTable = (): string =>
  table(
    ['Tag', 'Attribute', 'VR'],
    [...worklistAttributes].sort((a, b) => a - b).map((tag) => attributeCells(keywordOf(tag) ?? '')),
  );

/** An item with everything that a booking can know. */
const item = worklistItem({
  accessionNumber: 'A',
  studyInstanceUid: '2.25.1',
  patientId: 'P',
  patientName: 'N',
  requestedProcedureId: 'R',
  description: 'D',
  requestingPhysician: 'B',
  scheduledProcedureStepId: 'S',
  stationAet: 'AET',
  stationName: 'STATION',
  location: 'ROOM',
  modality: 'MR',
  start: Temporal.ZonedDateTime.from('2026-11-22T09:30[Europe/Amsterdam]'),
});

export const itemAttributes = (): string =>
  `${table(['Tag', 'Attribute', 'VR', 'Value'], rowsOf(item))}\n\nThe file's SOP class is ${sopClasses.modalityWorklistFind}.`;

function rowsOf(dataSet: DataSet, indent = ''): string[][] {
  return [...dataSet]
    .sort(([a], [b]) => a - b)
    .flatMap(([tag, element]) => {
      const [printed = '', keyword = '', vr = ''] = attributeCells(keywordOf(tag) ?? '');
      const inner =
        element.kind === 'sequence' ? element.items.flatMap((one) => rowsOf(one, `${indent}> `)) : [];
      const empty =
        element.kind === 'text'
          ? element.values.join('') === ''
          : element.kind === 'binary'
            ? element.bytes.length === 0
            : element.items.length === 0;
      return [
        [
          printed,
          `${indent}${keyword}`,
          vr,
          empty ? 'empty' : element.kind === 'sequence' ? 'one item' : 'from the booking',
        ],
        ...inner,
      ];
    });
}
