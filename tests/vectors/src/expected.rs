//! The constants. Never edited: they are what every signature ever made stands on.

/// Name and value of each vector, in order.
pub const EXPECTED: &[(&str, &str)] = &[
    ("key id", "459b40de8722cfbbd7c8714ba24852d4"),
    ("province id", "a97246ce9efb7a301f08bf019fb74dc1"),
    ("actor id", "c22f13bc4bf06c9a320e0eb819981948"),
    ("document id", "20d50dbbbd0a530d4b049af3ccb8e6bc"),
    (
        "subject",
        "011162616f2d63616f2d636368632d3230323201020304050607080432303235",
    ),
    (
        "genesis",
        "63ef9fd7d05944042a2324f7e591efef12df392ca11e368d6eac44ca23b8f67d",
    ),
    (
        "extension",
        "a9be5247349a36bdda8a72128da984f205c65aa4dcf826d7509a1aac91d4d211",
    ),
    (
        "change",
        "856f4a83c997995a01ea0101a9be5247349a36bdda8a72128da984f205c65aa4dcf826d7509a1aac91d4d211109c997c63e20c6693fb446aafe0d0e7d7010c80f09dc7061031322030203838202d3130312032303102101f61cb9e7b93ed3630e7424d5cc61cf7107a5d964c7a03f5f616a10430e306b7fc0a0104020411041307151d340242025613571f700205010d0205020d0b00060c0000057e00110b017b03492e3103492e32074949492e312e3403562e33055649492e31000d050d12017b24140001b601022603167f2604167f260216c0007927c491616e67206cc3a06dc490c3a320686fc3a06e207468c3a06e681200",
    ),
    (
        "change hash",
        "c997995a3ef0b7e24f56363e1f29d5eaa748b9a55f8d15b385c8c0980b253590",
    ),
    (
        "extract",
        "1f6dafa40d8144c067a2f3628924d9804b08bc03be46d54e3595bbd048851e8e",
    ),
    ("narrative", "Đã hoàn thành"),
    (
        "signed part",
        "6e5db239c97220248f14754d2f798c4fec156a2e951be49bde5eed049f605732",
    ),
    (
        "part id",
        "27736d9cf42437f94f34d7097f9885bfc0936d5926bb9840c7b9d4b79d0152eb",
    ),
    (
        "signed part",
        "d47e550764cb43b2243bb3755de5d18a2e0370d44319350aa2876c57509f7ed2",
    ),
    (
        "part id",
        "06735f2c3908cf6f01056d5381aebee489766940d4e295c7671f4f01c26e056e",
    ),
    (
        "fingerprint",
        "2:3c3df062ec8390acf87f1ab0dadf788d55fb2887a14f6f4a554ad985304fb6ce",
    ),
    (
        "receipt",
        "4f55a63627e248ee0a7ae7bbbdb025787f2ac96c3cf419d1f93fd5a82eda96ee",
    ),
    (
        "request frame",
        "60e8c1a000f03877a3143cb82b8b09f1e42f0a7d28b01f80f190620518a186ea",
    ),
    (
        "catalogue record",
        "5e0101000000000000000000000000000000000000000000000000000000000000000080e0bb8e0d01351454e1bb896e68205468c3a169204e677579c3aa6efd1724385aa0c75b64fb78cd602fa1d991fdebf76b13c58ed702eac835e9f618e36c48d868d719031298207c2832f867851b5ebe9a796e78986bd67b830dc8d69971992dc607c95935d2f30459380d07a2e1c692baec64e0a2c56766ae7fee0c",
    ),
    (
        "bundle",
        "0769f2d54a13c7b40fcf2b86d8b609fd9a4ff54ab0253ace3d4ed8d0ef76531f",
    ),
    (
        "bundle id",
        "9eaeabcccc403f601349f98dab0da3713801ef51c9e8ae1d0fb7182be0d03f6e",
    ),
    (
        "bundle that answers",
        "055a24a3d483baf34720fe3b4ab33ec2ad1a24c436f087d94492564e9ea32baa",
    ),
    (
        "id of the bundle that answers",
        "79f36f388dbd92fa0a9aeb5806a2d2ec1ce014724d692246a1102e9bad081af1",
    ),
    (
        "attestation",
        "017778d24f41d44f609818082a99a3bb800505050505050505050505050505050547dbdcd75029762e457dc4c449bcc299040404040404040407ac0202548fa5910d1899eecce67b3c11b9d31fde0ebe9d162f77f75e6d125662f8fa51358ae2092e25498d7a013499ac326ab14813dc3dde4d4ee63c8af7fc4f8d210ed8ad9cefeecc393048cd7d55194c49444f366a94cf8a9bb25ec271ca588a9206",
    ),
    (
        "vouched part",
        "6874850141d5945875b10c1d2bc303eab4aff75e490b97ad17d47446ad86a76d",
    ),
    (
        "subject of local rows",
        "021162616f2d63616f2d636368632d32303232010203040506070800",
    ),
    (
        "document id of local rows",
        "d28df11b36508f2c378638dee26a807c",
    ),
    (
        "genesis of local rows",
        "22c8a0f87175fabfc976c3c802645689e1d8e67354ab46b9f6d9c39bdc1615c1",
    ),
    ("code of a local row", "+0102030405060708.68e7780001020304"),
    ("key of a local row", "68e7780001020304/label"),
];
