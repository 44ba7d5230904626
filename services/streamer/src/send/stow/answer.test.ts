/** Answers of STOW-RS in XML, as servers write them and as hostile ones would. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAnswer } from './answer.ts';

const attribute = (tag: string, inside: string): string =>
  `<DicomAttribute tag="${tag}" vr="UI">${inside}</DicomAttribute>`;
const value = (text: string): string => `<Value number="1">${text}</Value>`;
const item = (inside: string): string => `<Item number="1">${inside}</Item>`;
const model = (inside: string): string =>
  `<NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM">${inside}</NativeDicomModel>`;

const stored = attribute(
  '00081199',
  item(attribute('00081155', value('1.2.3')) + attribute('00081196', value('45056'))),
);
const refused = attribute(
  '00081198',
  item(attribute('00081155', value('1.2.4')) + attribute('00081197', value('272'))),
);
const told = (text: string): unknown => {
  const answer = parseAnswer(text);
  return answer && { stored: [...answer.stored], failed: [...answer.failed] };
};
const expected = { stored: [['1.2.3', 45056]], failed: [['1.2.4', 272]] };

test('answer: XML, with a declaration, a prefix, a wrapper, comments and CDATA', () => {
  const plain = model(stored + refused);
  assert.deepEqual(told(plain), expected);
  assert.deepEqual(told(`<?xml version="1.0" encoding="UTF-8"?>\n${plain}`), expected);
  assert.deepEqual(told(`<answer><!-- of ours -->${plain}</answer>`), expected);
  assert.deepEqual(told(plain.replace('1.2.3', '<![CDATA[1.2.3]]>')), expected);
  const prefixed = plain.replaceAll(/<(\/?)(?=[A-Z])/g, '<$1n:').replace('xmlns=', 'xmlns:n=');
  assert.deepEqual(told(prefixed), expected);
});

test('answer: what is cut, broken, other XML, or too much is none', () => {
  const plain = model(stored);
  for (const text of [plain.slice(0, -5), `${plain}<a>`, '<html></html>', plain.replace('</Item>', '')])
    assert.equal(told(text), undefined, text.slice(0, 40));
  const began = performance.now();
  assert.equal(told(model('<a/>'.repeat(2_000_000))), undefined);
  assert.equal(told(model(item('').replace('</Item>', '').repeat(1_000_000))), undefined);
  assert.equal(told(`<!DOCTYPE a [<!ENTITY x "1.2.3">]>${model(stored.replace('1.2.3', '&x;'))}`), undefined);
  assert.ok(performance.now() - began < 30_000);
});

const MR = '1.2.840.10008.5.1.4.1.1.4';
const RETRIEVE = 'http://pacs.example.org:8042/dicom-web/studies/1.2';

/** The answer's instances with their reasons; undefined where it is no answer. */
const read = (text: string) => {
  const answer = parseAnswer(text);
  return answer && { stored: [...answer.stored], failed: [...answer.failed] };
};

test('answer: dcm4chee, XML with keywords and an error comment', () => {
  const xml = `<?xml version="1.0" encoding="UTF-8"?><NativeDicomModel xml:space="preserve">
<DicomAttribute keyword="ErrorComment" tag="00000902" vr="LO"><Value number="1">Not a DICOM Stream</Value></DicomAttribute>
<DicomAttribute keyword="RetrieveURL" tag="00081190" vr="UR"><Value number="1">${RETRIEVE}?a=1&amp;b=2</Value></DicomAttribute>
<DicomAttribute keyword="FailedSOPSequence" tag="00081198" vr="SQ"><Item number="1">
<DicomAttribute keyword="ReferencedSOPClassUID" tag="00081150" vr="UI"><Value number="1">${MR}</Value></DicomAttribute>
<DicomAttribute keyword="ReferencedSOPInstanceUID" tag="00081155" vr="UI"><Value number="1">1.2.4</Value></DicomAttribute>
<DicomAttribute keyword="FailureReason" tag="00081197" vr="US"><Value number="1">49442</Value></DicomAttribute></Item></DicomAttribute>
<DicomAttribute keyword="ReferencedSOPSequence" tag="00081199" vr="SQ"><Item number="1">
<DicomAttribute keyword="ReferencedSOPClassUID" tag="00081150" vr="UI"><Value number="1">${MR}</Value></DicomAttribute>
<DicomAttribute keyword="ReferencedSOPInstanceUID" tag="00081155" vr="UI"><Value number="1">1.2.3</Value></DicomAttribute>
<DicomAttribute keyword="RetrieveURL" tag="00081190" vr="UR"><Value number="1">${RETRIEVE}/series/1.3/instances/1.2.3</Value></DicomAttribute></Item></DicomAttribute>
</NativeDicomModel>`;
  assert.deepEqual(read(xml), { stored: [['1.2.3', undefined]], failed: [['1.2.4', 49442]] });
});

test('answer: dcm4chee, JSON with a coerced instance', () => {
  const json = {
    '00081190': { vr: 'UR', Value: [RETRIEVE] },
    '00081199': {
      vr: 'SQ',
      Value: [
        {
          '00081150': { vr: 'UI', Value: [MR] },
          '00081155': { vr: 'UI', Value: ['1.2.3'] },
          '00081190': { vr: 'UR', Value: [`${RETRIEVE}/instances/1.2.3`] },
          '00081196': { vr: 'US', Value: [45056] },
          '04000561': {
            vr: 'SQ',
            Value: [{ '04000550': { vr: 'SQ', Value: [{ '00100020': { vr: 'LO' } }] } }],
          },
        },
      ],
    },
  };
  assert.deepEqual(read(JSON.stringify(json)), { stored: [['1.2.3', 45056]], failed: [] });
});

test('answer: Orthanc, XML with a namespace and JSON with both sequences, one of them empty', () => {
  const xml = `<?xml version="1.0" encoding="utf-8"?>
<NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM" xsi:schemaLocation="http://dicom.nema.org/PS3.19/models/NativeDICOM" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
	<DicomAttribute tag="00081190" vr="UR" keyword="RetrieveURL"><Value number="1">${RETRIEVE}</Value></DicomAttribute>
	<DicomAttribute tag="00081198" vr="SQ" keyword="FailedSOPSequence" />
	<DicomAttribute tag="00081199" vr="SQ" keyword="ReferencedSOPSequence"><Item number="1">
		<DicomAttribute tag="00081150" vr="UI" keyword="ReferencedSOPClassUID"><Value number="1">${MR}</Value></DicomAttribute>
		<DicomAttribute tag="00081155" vr="UI" keyword="ReferencedSOPInstanceUID"><Value number="1">1.2.3</Value></DicomAttribute>
	</Item></DicomAttribute>
</NativeDicomModel>`;
  assert.deepEqual(read(xml), { stored: [['1.2.3', undefined]], failed: [] });
  const json = {
    '00081190': { vr: 'UR', Value: [RETRIEVE] },
    '00081198': { vr: 'SQ' },
    '00081199': {
      vr: 'SQ',
      Value: [{ '00081150': { vr: 'UI', Value: [MR] }, '00081155': { vr: 'UI', Value: ['1.2.3'] } }],
    },
  };
  assert.deepEqual(read(JSON.stringify(json)), { stored: [['1.2.3', undefined]], failed: [] });
});

test('answer: Microsoft, JSON with an instance that is there already, and with warnings of a validation', () => {
  const json = {
    '00081190': { vr: 'UR', Value: [RETRIEVE] },
    '00081198': {
      vr: 'SQ',
      Value: [
        {
          '00081150': { vr: 'UI', Value: [MR] },
          '00081155': { vr: 'UI', Value: ['1.2.4'] },
          '00081197': { vr: 'US', Value: [45070] },
          '00741048': { vr: 'SQ', Value: [{ '0008119D': { vr: 'UC', Value: ['DICOM100: (0010,0020)'] } }] },
        },
        // a part that could not be read has no UID (Other Failures would be the place for it)
        { '00081197': { vr: 'US', Value: [272] } },
      ],
    },
    '00081199': {
      vr: 'SQ',
      Value: [{ '00081155': { vr: 'UI', Value: ['1.2.3'] }, '00081196': { vr: 'US', Value: [1] } }],
    },
  };
  assert.deepEqual(read(JSON.stringify(json)), { stored: [['1.2.3', 1]], failed: [['1.2.4', 45070]] });
});

test('answer: servers that deviate: tags in lower case, a list of one, numbers as texts, padded UIDs', () => {
  const json = [{ '00081199': { vr: 'SQ', Value: [{ '00081155': { vr: 'UI', Value: ['1.2.3\u0000'] } }] } }];
  assert.deepEqual(read(JSON.stringify(json)), { stored: [['1.2.3', undefined]], failed: [] });
  const other = { '0008119a': { vr: 'SQ', Value: [{ '00081197': { vr: 'US', Value: ['272'] } }] } };
  assert.deepEqual(read(JSON.stringify(other)), { stored: [], failed: [] });
});

test('answer: what names instances in another sequence says nothing of them, and pages and errors are none', () => {
  for (const text of [
    '{"0008114A":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":["1.2.3"]}}]}}',
    '{"error":"quota exceeded"}',
    '[]',
    '<!DOCTYPE html><html><body>502 Bad Gateway</body></html>',
    '',
  ])
    assert.equal(read(text), undefined, text);
});
