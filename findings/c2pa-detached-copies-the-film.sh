#!/bin/bash
# Guess: Builder.set_no_embed() and sign(signer, type, film) read the film and give back a manifest; nothing else is written.
# Truth: with c2pa-python 0.38.1 the whole film is still copied, byte for byte, into dest, which without an argument is a
# BytesIO: signing a master of 50 GB for OUT.c2pa takes 50 GB of memory. A dest that forgets what it gets is as good: the
# manifest is the same size and valid.
# Film work meets it where the container holds no credentials: MKV, MXF, WebM.
set -e; D=$(mktemp -d); trap 'rm -rf "$D"' EXIT; cd "$D"
python3 -m venv v; v/bin/pip -q install c2pa-python==0.38.1 cryptography==50.0.2
cat > t.py <<'P'
import datetime as dt, io, os
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

class Nowhere(io.RawIOBase):
    def __init__(self):
        super().__init__(); self.at = self.end = self.got = 0
    def readable(self): return True
    def writable(self): return True
    def seekable(self): return True
    def readinto(self, _): return 0
    def write(self, data):
        self.at += len(data); self.got += len(data); self.end = max(self.end, self.at); return len(data)
    def seek(self, to, whence=0):
        self.at = (0, self.at, self.end)[whence] + to; return self.at
    def tell(self): return self.at

film = os.urandom(5_000_000)
def sign(dest):
    told = '{"title": "a.mkv", '\
           '"assertions": [{"label": "c2pa.actions", "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"}]}}]}'
    builder = c2pa.Builder(told); builder.set_no_embed()
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo("es256", chain, pem, None))
    return builder.sign(signer, "video/x-matroska", io.BytesIO(film), dest)
copy, nowhere = io.BytesIO(), Nowhere()
one, other = sign(copy), sign(nowhere)
state = c2pa.Reader("video/x-matroska", io.BytesIO(film), other).get_validation_state()
print("c2pa", c2pa.sdk_version(), "film", len(film), "copied", len(copy.getvalue()), "equal", copy.getvalue() == film)
print("into nowhere", nowhere.got, "manifests", len(one), len(other), state)
assert copy.getvalue() == film and nowhere.got == len(film) and len(one) == len(other) and state == "Valid"
P
v/bin/python t.py
