#!/bin/bash
# Guess: what Builder takes of an ingredient's JSON is signed; at least a key that it knows, "hash", is; and a store whose
# list of failures is not empty is not Valid.
# Truth: with c2pa-python 0.38.1 (c2pa-rs 0.91.3, claim version 2) "hash" of an ingredient is taken without a word and left out,
# so nothing binds the source's bytes; instance_id and description are kept as they are. And a certificate that nobody vouches for
# stands under "failure" (signingCredential.untrusted) of a store whose state is "Valid".
# Film work meets it where the source is a master of gigabytes that is told by its hash alone, and signed by the archive's own
# authority.
set -e; D=$(mktemp -d); trap 'rm -rf "$D"' EXIT; cd "$D"
python3 -m venv v; v/bin/pip -q install c2pa-python==0.38.1 cryptography==50.0.2
cat > t.py <<'P'
import datetime as dt, io, json, os
import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization as ser
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

def name(text):
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test"), x509.NameAttribute(NameOID.COMMON_NAME, text)])
uses = ("digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign "
        "encipher_only decipher_only").split()
root, key, now = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.timezone.utc)
def cert(subject, public, ca, use):
    b = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name("CA")).public_key(public)
         .serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(1)).not_valid_after(now + dt.timedelta(9))
         .add_extension(x509.BasicConstraints(ca, None), True)
         .add_extension(x509.KeyUsage(**{u: u == use for u in uses}), True)
         .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key()), False))
    if not ca:
        b = b.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
    return b.sign(root, hashes.SHA256()).public_bytes(ser.Encoding.PEM)
chain = cert("signer", key.public_key(), False, "digital_signature") + cert("CA", root.public_key(), True, "key_cert_sign")
pem = key.private_bytes(ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.NoEncryption())

digest = "ab" * 32
told = {"title": "a.mkv", "ingredients": [{"title": "scan.mov", "relationship": "parentOf", "label": "source",
        "hash": digest, "instance_id": "sha256:" + "cd" * 32, "description": "ef" * 32}],
        "assertions": [{"label": "c2pa.actions", "data": {"actions": [
            {"action": "c2pa.opened", "parameters": {"ingredientIds": ["source"]}}]}}]}
builder = c2pa.Builder(json.dumps(told)); builder.set_no_embed()
signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo("es256", chain, pem, None))
film = os.urandom(100_000)
store = builder.sign(signer, "video/x-matroska", io.BytesIO(film), io.BytesIO())
reader = c2pa.Reader("video/x-matroska", io.BytesIO(film), store)
failures = [f["code"] for f in reader.get_validation_results()["activeManifest"]["failure"]]
print("c2pa", c2pa.sdk_version(), reader.get_validation_state(), "failures:", failures)
(kept,) = reader.get_active_manifest()["ingredients"]
print("ingredient:", kept, "| hash in the store:", digest.encode() in store or bytes.fromhex(digest) in store)
assert reader.get_validation_state() == "Valid" and failures == ["signingCredential.untrusted"]
assert "hash" not in kept and digest.encode() not in store and bytes.fromhex(digest) not in store
assert kept["instance_id"] == "sha256:" + "cd" * 32 and kept["description"] == "ef" * 32
P
v/bin/python t.py
