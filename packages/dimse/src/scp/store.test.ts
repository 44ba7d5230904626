import assert from 'node:assert/strict';
import { test } from 'node:test';
import { transferSyntaxes } from '@scanflow/dicom';
import { isStorageClass, storageSyntax } from './composite.ts';

const MR = '1.2.840.10008.5.1.4.1.1.4';
const JPEG_LS = '1.2.840.10008.1.2.4.80';
const JPEG_2000 = '1.2.840.10008.1.2.4.90';
const { explicitVRLittleEndian, implicitVRLittleEndian, explicitVRBigEndian } = transferSyntaxes;
const agreed = (...offered: string[]): string | undefined =>
  storageSyntax({ id: 1, abstractSyntax: MR, transferSyntaxes: offered });

test('storage contexts: storage classes of PS3.6, of manufacturers and of the future are taken', () => {
  for (const uid of [
    MR,
    '1.2.840.10008.5.1.4.1.1.2', // CT
    '1.2.840.10008.5.1.4.1.1.4.4', // Legacy Converted Enhanced MR
    '1.2.840.10008.5.1.4.1.1.66.4', // Segmentation
    '1.2.840.10008.5.1.4.1.1.200.1', // CT Defined Procedure Protocol
    '1.2.840.10008.5.1.4.1.1.200.7', // XA Defined Procedure Protocol
    '1.2.840.10008.5.1.4.1.1.201.1', // Inventory
    '1.2.840.10008.5.1.4.34.7', // RT Beams Delivery Instruction
    '1.2.840.10008.5.1.4.34.10', // RT Brachy Application Setup Delivery Instruction
    '1.2.840.10008.5.1.4.38.1', // Hanging Protocol
    '1.2.840.10008.5.1.4.39.1', // Color Palette
    '1.2.840.10008.5.1.4.43.1', // Generic Implant Template
    '1.2.840.10008.5.1.1.27', // Stored Print
    '1.2.840.10008.5.1.1.29', // Hardcopy Grayscale Image
    '1.2.840.10008.5.1.4.1.1.4.99', // not defined yet
    '1.3.12.2.1107.5.9.1', // Siemens CSA Non-Image
    '1.2.840.113619.4.26', // GE private
  ])
    assert.ok(isStorageClass(uid), uid);
});

test('storage contexts: standard classes that are no storage are not', () => {
  for (const uid of [
    '',
    '1.2.840.10008.1.1', // Verification
    '1.2.840.10008.1.3.10', // Media Storage Directory
    '1.2.840.10008.1.20.1', // Storage Commitment
    '1.2.840.10008.1.40', // Procedural Event Logging
    '1.2.840.10008.3.1.2.3.3', // MPPS
    '1.2.840.10008.5.1.1.9', // Basic Grayscale Print
    '1.2.840.10008.5.1.4.1.2.1.1', // Patient Root FIND
    '1.2.840.10008.5.1.4.1.2.2.2', // Study Root MOVE
    '1.2.840.10008.5.1.4.31', // Modality Worklist
    '1.2.840.10008.5.1.4.33', // Instance Availability
    '1.2.840.10008.5.1.4.34.6.1', // UPS Push
    '1.2.840.10008.5.1.4.37.1', // Relevant Patient Information
    '1.2.840.10008.5.1.4.38.2', // Hanging Protocol FIND
    '1.2.840.10008.5.1.4.39.4', // Color Palette GET
    '1.2.840.10008.5.1.4.1.1.200.4', // Protocol Approval FIND
    '1.2.840.10008.5.1.4.1.1.201.2', // Inventory FIND
  ])
    assert.equal(isStorageClass(uid), false, uid);
});

test('storage contexts: uncompressed before anything else, explicit before implicit, whatever the order', () => {
  assert.equal(
    agreed(JPEG_LS, explicitVRBigEndian, implicitVRLittleEndian, explicitVRLittleEndian),
    explicitVRLittleEndian,
  );
  assert.equal(agreed(JPEG_LS, explicitVRBigEndian, implicitVRLittleEndian), implicitVRLittleEndian);
  assert.equal(agreed(JPEG_LS, explicitVRBigEndian), explicitVRBigEndian);
});

test('storage contexts: a compressed or private syntax is kept as it comes, the first one where there are more', () => {
  assert.equal(agreed(JPEG_LS, JPEG_2000), JPEG_LS);
  assert.equal(agreed(JPEG_2000, JPEG_LS), JPEG_2000);
  assert.equal(agreed('1.2.840.113619.5.2'), '1.2.840.113619.5.2');
});

test('storage contexts: without a transfer syntax there is nothing to accept', () => {
  assert.equal(agreed(), undefined);
  assert.equal(agreed(''), undefined);
});
