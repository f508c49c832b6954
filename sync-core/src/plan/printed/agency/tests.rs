use super::*;

fn directory() -> Directory {
    let text = crate::catalogue_files::text("org/thai-nguyen-2022.json").expect("it ships");
    Directory::read(text, None).expect("units")
}

fn told(directory: &Directory, text: &str) -> Vec<String> {
    let read = Reader::new(directory).read(text, Topic::Lead);
    let told = |agency: &Agency| {
        let mark = match &agency.matched {
            Matched::Unit(_) => "",
            Matched::Group(_) => "*",
            Matched::Nothing => "?",
        };
        let scope = agency
            .scope
            .as_ref()
            .map(|scope| format!(" [{scope}]"))
            .unwrap_or_default();
        format!(
            "{mark}{}{scope} {}",
            agency.name,
            agency.reason.confidence.name()
        )
    };
    let mut all: Vec<String> = read.first.iter().map(told).collect();
    all.extend(
        read.coordinating
            .iter()
            .map(|agency| format!("+{}", told(agency))),
    );
    all
}

#[test]
fn lists_are_cut_where_names_end() {
    let directory = directory();
    let mut wrong = 0;
    for (text, wanted) in [
        (
            "Sở Nội vụ; các sở, ban, ngành, UBND cấp huyện",
            vec![
                "Sở Nội vụ high",
                "*Các sở, ban, ngành high",
                "*UBND cấp huyện high",
            ],
        ),
        (
            "Các Sở, ban, ngành, UBND cấp huyện được giao nhiệm vụ tại Kế hoạch số 234/KH-UBND ngày 23/12/2021 của Chủ tịch UBND tỉnh",
            vec![
                "*Các sở, ban, ngành [được giao nhiệm vụ tại Kế hoạch số 234/KH-UBND ngày 23/12/2021 của Chủ tịch UBND tỉnh] low",
                "*UBND cấp huyện [được giao nhiệm vụ tại Kế hoạch số 234/KH-UBND ngày 23/12/2021 của Chủ tịch UBND tỉnh] low",
            ],
        ),
        (
            "Các Sở Nội vụ; Xây dựng; Văn hóa, Thể thao và Du lịch; Lao động, Thương binh và Xã hội và các Sở ngành liên quan",
            vec![
                "Sở Nội vụ medium",
                "Sở Xây dựng medium",
                "Sở Văn hóa, Thể thao và Du lịch high",
                "Sở Lao động - Thương binh và Xã hội high",
                "*Các sở, ngành liên quan [liên quan] low",
            ],
        ),
        (
            "Trung tâm Thông tin, Văn phòng UBND tỉnh",
            vec!["Trung tâm Thông tin tỉnh high", "Văn phòng UBND tỉnh high"],
        ),
        (
            "Văn phòng UBND tỉnh; UBND cấp huyện và UBND cấp xã",
            vec![
                "Văn phòng UBND tỉnh high",
                "*UBND cấp huyện high",
                "*UBND cấp xã medium",
            ],
        ),
        (
            "Kho bạc Nhà nước",
            vec!["Kho bạc Nhà nước tỉnh Thái Nguyên high"],
        ),
        (
            "- Sở Nội\nvụ;\n- Sở Tài chính\nCông an tỉnh",
            vec!["Sở Nội vụ high", "Sở Tài chính high", "Công an tỉnh high"],
        ),
        (
            "Sở KH&ĐT, Sở LĐ-TB&XH, BHXH tỉnh",
            vec![
                "Sở Kế hoạch và Đầu tư medium",
                "Sở Lao động - Thương binh và Xã hội medium",
                "Bảo hiểm xã hội tỉnh medium",
            ],
        ),
        ("SỞ NỘI VỤ", vec!["Sở Nội vụ high"]),
        ("So Noi vu tinh Thai Nguyen", vec!["Sở Nội vụ high"]),
        (
            "Sở Thông tin Truyền thông",
            vec!["Sở Thông tin và Truyền thông high"],
        ),
        (
            "Thủ trưởng các sở, ban, ngành; Chủ tịch UBND các huyện, thành phố",
            vec!["*Các sở, ban, ngành high", "*UBND cấp huyện high"],
        ),
        ("UBND các xã, phường, thị trấn", vec!["*UBND cấp xã medium"]),
        (
            "UBND huyện Đại Từ, UBND TP Sông Công",
            vec!["Huyện Đại Từ high", "Thành phố Sông Công high"],
        ),
        (
            "UBND các huyện: Đại Từ, Phú Bình",
            vec!["Huyện Đại Từ medium", "Huyện Phú Bình medium"],
        ),
        (
            "Sở Nội vụ chủ trì, phối hợp với Sở Tài chính và các đơn vị liên quan",
            vec![
                "Sở Nội vụ high",
                "+Sở Tài chính high",
                "+*Các đơn vị liên quan [liên quan] low",
            ],
        ),
        (
            "Sở Nông nghiệp và Môi trường, Sở Y tế",
            vec!["?Sở Nông nghiệp và Môi trường low", "Sở Y tế high"],
        ),
        ("Hội Nông dân tỉnh", vec!["?Hội Nông dân tỉnh low"]),
        (
            "Sở Nội vu, Sở Tài chínhh",
            vec!["Sở Nội vụ high", "Sở Tài chính low"],
        ),
        (
            "Bệnh viện Tâm thần",
            vec!["Bệnh viện Sức khỏe Tâm thần high"],
        ),
        (
            "Các sở, ban, ngành và địa phương",
            vec!["*Các sở, ban, ngành medium", "*Các địa phương low"],
        ),
    ] {
        let got = told(&directory, text);
        if got != wanted {
            println!("{text}\n   {got:?}\n   {wanted:?}");
            wrong += 1;
        }
    }
    assert_eq!(wrong, 0);
}
