// Crosses age files between vault-core and the npm package age-encryption, in both directions.
//
// The npm package is the one released implementation of the post-quantum recipient beside ours. For each kind of
// recipient, each size and each form: what one seals, the other opens to the same bytes; a wrong key and a changed
// file are refused by both.
//
// usage: node interop.mjs AGE_FILE   (the example program of vault-core)

import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as age from "age-encryption"

const CHUNK = 64 * 1024
const SIZES = [0, 1, 255, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 17, 1024 * 1024]
const FORMS = ["binary", "armored"]

const program = process.argv[2]
assert(program, "usage: node interop.mjs AGE_FILE")
const folder = mkdtempSync(join(tmpdir(), "age-interop-"))
let files = 0

function ours(verb, lines, input, form = "binary") {
  const path = join(folder, `keys-${files++}`)
  writeFileSync(path, lines.join("\n"))
  const run = spawnSync(program, [verb, path, ...(form === "armored" ? ["--armor"] : [])], {
    input,
    maxBuffer: 64 * CHUNK,
  })
  if (run.error) throw run.error
  return { ok: run.status === 0, bytes: run.stdout, cause: run.stderr.toString().trim() }
}

function oursOrFail(...args) {
  const done = ours(...args)
  assert(done.ok, done.cause)
  return done.bytes
}

// Each kind tells how either side seals to it and opens it.
async function kinds() {
  const hybrid = [await age.generateHybridIdentity(), await age.generateHybridIdentity()]
  const classical = await age.generateX25519Identity()
  const passphrase = randomBytes(12).toString("base64")
  const byRecipient = async (identities) => {
    const recipients = await Promise.all(identities.map((identity) => age.identityToRecipient(identity)))
    const opener = (identity) => ({
      npm: (file) => {
        const decrypter = new age.Decrypter()
        decrypter.addIdentity(identity)
        return decrypter.decrypt(file)
      },
      ours: (file) => ours("open", [identity], file),
    })
    return {
      seal: {
        npm: (plain) => {
          const encrypter = new age.Encrypter()
          for (const recipient of recipients) encrypter.addRecipient(recipient)
          return encrypter.encrypt(plain)
        },
        ours: (plain, form) => oursOrFail("seal", recipients, plain, form),
      },
      open: identities.map(opener),
      stranger: opener(
        identities[0].startsWith("AGE-SECRET-KEY-PQ-")
          ? await age.generateHybridIdentity()
          : await age.generateX25519Identity(),
      ),
    }
  }
  const byPassphrase = (words) => ({
    npm: (file) => {
      const decrypter = new age.Decrypter()
      decrypter.addPassphrase(words)
      return decrypter.decrypt(file)
    },
    ours: (file) => ours("open-passphrase", [words], file),
  })
  return {
    "one hybrid recipient": await byRecipient([hybrid[0]]),
    "two hybrid recipients": await byRecipient(hybrid),
    "X25519 recipient": await byRecipient([classical]),
    passphrase: {
      seal: {
        npm: (plain) => {
          const encrypter = new age.Encrypter()
          encrypter.setPassphrase(passphrase)
          encrypter.setScryptWorkFactor(10)
          return encrypter.encrypt(plain)
        },
        ours: (plain, form) => oursOrFail("seal-passphrase", [passphrase], plain, form),
      },
      open: [byPassphrase(passphrase)],
      stranger: byPassphrase("another"),
    },
  }
}

// One public key comes from one seed on both sides.
async function sameRecipients() {
  for (let i = 0; i < 8; i++) {
    const identity = await age.generateHybridIdentity()
    const recipient = oursOrFail("recipient", [identity], "").toString().trim()
    assert.equal(recipient, await age.identityToRecipient(identity))
  }
}

// What strengths npm may mix, ours does not.
async function neverMixed() {
  const pair = [await age.generateHybridIdentity(), await age.generateX25519Identity()]
  const recipients = await Promise.all(pair.map((identity) => age.identityToRecipient(identity)))
  const refused = ours("seal", recipients, "x")
  assert(!refused.ok && refused.cause.includes("Mixed"), refused.cause)
}

function changed(file) {
  const copy = Uint8Array.from(file)
  copy[copy.length - 1] ^= 1
  return copy
}

try {
  await sameRecipients()
  await neverMixed()
  let crossed = 0
  let refused = 0
  for (const [name, kind] of Object.entries(await kinds())) {
    for (const size of SIZES) {
      const plain = randomBytes(size)
      for (const form of FORMS) {
        const where = `${name}, ${size} bytes, ${form}`

        const fromOurs = kind.seal.ours(plain, form)
        const bare = form === "armored" ? age.armor.decode(fromOurs.toString()) : fromOurs
        for (const opener of kind.open) {
          assert(plain.equals(await opener.npm(bare)), `ours to npm: ${where}`)
          crossed++
        }

        const fromNpm = await kind.seal.npm(plain)
        const dressed = form === "armored" ? age.armor.encode(fromNpm) : fromNpm
        for (const opener of kind.open) {
          const opened = opener.ours(dressed)
          assert(opened.ok && plain.equals(opened.bytes), `npm to ours: ${where}: ${opened.cause}`)
          crossed++
        }

        const stranger = kind.stranger.ours(dressed)
        assert(!stranger.ok && stranger.cause.includes("NoMatch"), `stranger: ${where}: ${stranger.cause}`)
        await assert.rejects(kind.stranger.npm(bare), `stranger: ${where}`)
        const broken = kind.open[0].ours(changed(fromNpm))
        assert(!broken.ok && broken.cause.includes("Payload"), `changed: ${where}: ${broken.cause}`)
        await assert.rejects(kind.open[0].npm(changed(bare)), `changed: ${where}`)
        refused += 4
      }
    }
  }
  console.log(`age interop: ${crossed} files crossed, ${refused} refused, both ways with age-encryption 0.3.1`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
