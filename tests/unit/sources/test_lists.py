"""Readers of the published lists, on invented entries of the same form."""

from __future__ import annotations

import gzip

import pytest

from tansiq.errors import Invalid
from tansiq.sources import read
from tansiq.sources.model import Reject, SourceRow

UN = """<?xml version="1.0" encoding="UTF-8"?>
<CONSOLIDATED_LIST xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" dateGenerated="2026-11-01T00:00:00Z">
<INDIVIDUALS>
 <INDIVIDUAL><DATAID>1</DATAID><FIRST_NAME>YASSER</FIRST_NAME><SECOND_NAME>TAZEGHART</SECOND_NAME>
  <FOURTH_NAME>na</FOURTH_NAME><UN_LIST_TYPE>Example</UN_LIST_TYPE><REFERENCE_NUMBER>EXi.001</REFERENCE_NUMBER>
  <NAME_ORIGINAL_SCRIPT>ياسر تازغارت</NAME_ORIGINAL_SCRIPT>
  <COMMENTS1>Belongs to an example tribe. Father's name is Brahim.</COMMENTS1>
  <GENDER>Male</GENDER>
  <NATIONALITY><VALUE>Morocco</VALUE><VALUE>Syrian Arab Republic</VALUE></NATIONALITY>
  <INDIVIDUAL_ALIAS><QUALITY>Good</QUALITY><ALIAS_NAME>Yassir Tazgart; Jasser Tasgart</ALIAS_NAME></INDIVIDUAL_ALIAS>
  <INDIVIDUAL_ALIAS><QUALITY>Low</QUALITY><ALIAS_NAME>Abu Brahim</ALIAS_NAME></INDIVIDUAL_ALIAS>
  <INDIVIDUAL_ALIAS><QUALITY/><ALIAS_NAME/></INDIVIDUAL_ALIAS>
  <INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>EXACT</TYPE_OF_DATE><DATE>1985-03-20</DATE></INDIVIDUAL_DATE_OF_BIRTH>
  <INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>APPROXIMATELY</TYPE_OF_DATE><DATE>1983-01-01</DATE></INDIVIDUAL_DATE_OF_BIRTH>
  <INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>BETWEEN</TYPE_OF_DATE><FROM_YEAR>1986</FROM_YEAR><TO_YEAR>1988</TO_YEAR>
  </INDIVIDUAL_DATE_OF_BIRTH>
  <INDIVIDUAL_PLACE_OF_BIRTH><CITY>Tetouan</CITY><COUNTRY>Morocco</COUNTRY></INDIVIDUAL_PLACE_OF_BIRTH>
  <INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>Passport</TYPE_OF_DOCUMENT><NUMBER>AB1234567, expired</NUMBER>
  </INDIVIDUAL_DOCUMENT>
  <INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT2>National card number 99887</TYPE_OF_DOCUMENT2></INDIVIDUAL_DOCUMENT>
  <INDIVIDUAL_DOCUMENT/>
  <INDIVIDUAL_ADDRESS><STREET>1 Example Street</STREET><CITY>Tetouan</CITY><COUNTRY>Morocco</COUNTRY>
  </INDIVIDUAL_ADDRESS>
 </INDIVIDUAL>
 <INDIVIDUAL><FIRST_NAME>NADIA</FIRST_NAME></INDIVIDUAL>
 <INDIVIDUAL><REFERENCE_NUMBER>EXi.003</REFERENCE_NUMBER></INDIVIDUAL>
</INDIVIDUALS>
<ENTITIES>
 <ENTITY><FIRST_NAME>TAZEGHART TRADING</FIRST_NAME><REFERENCE_NUMBER>EXe.001</REFERENCE_NUMBER>
  <ENTITY_ALIAS><QUALITY>f.k.a.</QUALITY><ALIAS_NAME>Brahim Trading</ALIAS_NAME></ENTITY_ALIAS></ENTITY>
</ENTITIES>
</CONSOLIDATED_LIST>""".encode()


def test_a_un_entry_is_read_with_all_that_tells_persons_apart():
    rows = list(read(UN, "un"))
    found = rows[0]
    assert isinstance(found, SourceRow)
    e = found.entity
    assert (e.id, e.schema, e.role) == ("EXi.001", "Person", "")
    assert e.values("name") == ("YASSER TAZEGHART", "ياسر تازغارت")
    assert e.values("alias") == ("Yassir Tazgart", "Jasser Tasgart")
    assert e.values("weakAlias") == ("Abu Brahim",)
    assert e.values("birthDate") == ("1985-03-20", "1983", "1986", "1987", "1988")
    assert [c.basis for c in e.claims if c.property == "birthDate"] == ["fact"] + ["assessment"] * 4
    assert e.values("nationality") == ("ma", "sy")
    assert e.values("birthPlace") == ("Tetouan, Morocco",)
    assert e.values("birthCountry") == ("ma",)
    assert e.values("passportNumber") == ("AB1234567",)
    assert e.values("idNumber") == ("99887",)
    assert e.values("gender") == ("male",)
    assert [c.lang for c in e.claims if c.value == "ياسر تازغارت"] == ["ar"]
    assert {str(c.grade) for c in e.claims} == {"A2"}
    # LED art. 10: the sentence about the tribe stayed behind.
    assert e.values("notes") == ("Father's name is Brahim.",)
    assert (found.provenance.source, found.provenance.reference, found.provenance.originator) == ("un", "EXi.001", "UN")


def test_what_a_un_entry_lacks_is_named_and_counts_add_up():
    rows = list(read(UN, "un"))
    assert rows[1:3] == [
        Reject("individual 2", "source.reference_missing", "REFERENCE_NUMBER"),
        Reject("individual 3", "source.name_missing", "FIRST_NAME"),
    ]
    assert rows[3].entity.schema == "Organization"
    assert rows[3].entity.values("previousName") == ("Brahim Trading",)
    assert len(rows) == 4


def test_gzip_is_read_as_well():
    assert list(read(gzip.compress(UN), "un")) == list(read(UN, "un"))


EU = b"""<?xml version="1.0" encoding="UTF-8"?>
<export xmlns="http://eu.europa.ec/fpi/fsd/export" generationDate="2026-11-01T00:00:00.000+01:00" globalFileId="1">
<sanctionEntity euReferenceNumber="EU.9999.1" logicalId="1">
 <regulation programme="EXA"/><subjectType code="person" classificationCode="P"/>
 <nameAlias wholeName="Yasser Tazeghart" gender="M" function="example" strong="true" nameLanguage="FR"/>
 <nameAlias firstName="Jasser" lastName="Tasgart" strong="false"/>
 <birthdate circa="false" calendarType="GREGORIAN" birthdate="1985-03-20" year="1985"
  city="Tetouan" countryIso2Code="MA" countryDescription="MOROCCO"/>
 <birthdate circa="true" calendarType="GREGORIAN" year="1984" countryIso2Code="00" countryDescription="UNKNOWN"/>
 <birthdate circa="false" calendarType="ISLAMIC" year="1405" countryIso2Code="00"/>
 <birthdate calendarType="GREGORIAN" yearRangeFrom="1980" yearRangeTo="1981"/>
 <citizenship countryIso2Code="MA"/>
 <identification number="AB1234567" identificationTypeCode="passport" knownFalse="false"/>
 <identification number="ZZ7654321" identificationTypeCode="passport" knownFalse="true"/>
 <address street="1 Example Street" city="Tetouan" countryIso2Code="MA" countryDescription="MOROCCO"/>
 <contactInfo key="PHONE" value="+212612345678"/>
</sanctionEntity>
<sanctionEntity euReferenceNumber="EU.9998.2"><subjectType classificationCode="X"/></sanctionEntity>
<sanctionEntity euReferenceNumber="?"/>
<sanctionEntity euReferenceNumber="EU.9997.3"><subjectType classificationCode="E"/></sanctionEntity>
</export>"""


def test_an_eu_entry_is_read():
    rows = list(read(EU, "eu"))
    e = rows[0].entity
    assert e.values("name") == ("Yasser Tazeghart",)
    assert e.values("weakAlias") == ("Jasser Tasgart",)
    assert e.values("birthDate") == ("1985-03-20", "1984", "1980", "1981")
    assert e.values("nationality") == ("ma",)
    assert e.values("passportNumber") == ("AB1234567",)
    assert e.values("phone") == ("+212612345678",)
    assert rows[0].provenance.unit == "EXA"
    assert [r.code for r in rows[1:]] == [
        "source.kind_unknown",
        "source.reference_missing",
        "source.name_missing",
    ]


OFAC = (
    b'901,"TAZEGHART, Yasser",individual,EXA,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,"DOB 20 Mar 1985; alt. DOB 1986;'
    b" POB Tetouan, Morocco; nationality Morocco; Passport AB1234567 (Morocco) expires 01 Jan 2030; Gender Male;"
    b" a.k.a. 'ABU BRAHIM'; Phone Number +212612345678; Identification Num\"\n"
    b"902,EXAMPLE STAR,vessel,EXA,-0- ,CL999,Tug,100,200,Panama,-0- ,Vessel Registration Identification IMO 9074729.\n"
    b"903,CN-XYZ,aircraft,EXA,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,Aircraft Model X1; Aircraft Manufacturer's Serial"
    b" Number (MSN) 4711.\n"
    b"904,TAZEGHART TRADING,-0- ,EXA,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,Tax ID No. 123456 (Morocco).\n"
    b"905,short row\n"
    b"x,NO NUMBER,-0- ,EXA,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \n"
    b"906,SUBMARINE,submarine,EXA,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \n"
    b"\x1a,,,,,,,,,,,\n"
)


def test_an_ofac_row_is_read_with_the_prose_of_its_remarks():
    rows = list(read(OFAC, "ofac", addresses=b'901,1,"1 Example Street",Tetouan,Morocco,-0- \n'))
    e = rows[0].entity
    assert e.values("name") == ("Yasser TAZEGHART",)
    assert e.values("alias") == ("ABU BRAHIM",)
    assert e.values("birthDate") == ("1985-03-20", "1986")
    assert e.values("nationality") == ("ma",)
    assert e.values("passportNumber") == ("AB1234567",)
    assert e.values("phone") == ("+212612345678",)
    assert e.values("address") == ("1 Example Street, Tetouan, Morocco",)
    assert rows[1].entity.values("imoNumber", "callSign", "flag") == ("CL999", "pa", "9074729")
    assert rows[2].entity.values("registrationNumber", "serialNumber", "model") == ("CN-XYZ", "X1", "4711")
    assert rows[3].entity.values("taxNumber") == ("123456",)
    assert [r.code for r in rows[4:]] == ["source.columns", "source.reference_missing", "source.kind_unknown"]


CANADA = """<data-set><record><Country>Example / Exemple</Country><LastName>Tazeghart</LastName>
<GivenName>Yasser</GivenName><Aliases>Jasser Tasgart; ياسر تازغارت</Aliases>
<DateOfBirthOrShipBuildDate>1985-03-20</DateOfBirthOrShipBuildDate><Schedule>1</Schedule><Item>1</Item></record>
<record><Country>Example</Country><LastName>Twice</LastName><Schedule>1</Schedule><Item>1</Item></record>
<record><Country>Example</Country><EntityOrShip>Example Star</EntityOrShip><ShipIMONumber>9074729</ShipIMONumber>
<Schedule>1</Schedule><Item>2</Item></record><record><Item>3</Item></record></data-set>""".encode()


def test_a_canadian_record_is_read_and_a_repeat_is_named():
    rows = list(read(CANADA, "ca"))
    assert rows[0].entity.values("alias") == ("Jasser Tasgart", "ياسر تازغارت")
    assert rows[0].entity.values("birthDate") == ("1985-03-20",)
    assert rows[1] == Reject("record 2", "source.reference_twice", "Item")
    assert rows[2].entity.schema == "Vessel"
    assert rows[3].code == "source.name_missing"


FTM = (
    b'{"id":"x-1","schema":"Person","properties":{"name":["Yasser Tazeghart"],"birthDate":["1985-03-20T00:00:00"],'
    b'"religion":["x"],"ethnicity":["x"],"political":["x"],"addressEntity":["a-1"]}}\n\n'
    b'{"id":"x-2","schema":"Company","properties":{"name":["Tazeghart Trading"]}}\n'
    b'{"id":"x-3","schema":"Ownership","properties":{"owner":["x-1"]}}\n'
    b'{"id":"x-4","schema":"Person","properties":{}}\n'
    b"not json\n[1]\n"
    b'{"id":"../x","schema":"Person","properties":{}}\n{"id":"x-5","schema":"Person"}\n'
)


def test_followthemoney_lines_come_without_what_article_10_protects():
    rows = list(read(FTM, "ftm"))
    e = rows[0].entity
    assert e.values("birthDate") == ("1985-03-20",)
    assert {c.property for c in e.claims} == {"name", "birthDate"}
    assert rows[1].entity.schema == "Organization"
    assert [(r.where, r.code) for r in rows[2:]] == [
        ("line 4", "source.schema_not_taken"),
        ("line 5", "entity.no_claims"),
        ("line 6", "source.json"),
        ("line 7", "source.json"),
        ("line 8", "source.reference_missing"),
        ("line 9", "source.properties_missing"),
    ]


def test_a_table_declares_its_columns():
    table = (
        "reference,role,name,name:ar,birthDate,phone,erase_on\n"
        "r-1,SUSP,Yasser Tazeghart | Jasser Tasgart,ياسر تازغارت,1985-03,+212612345678,2027-01-01\n"
        "r-2,BOSS,X Y,,,,\n"
        "r-3,,X Y,,1985-13,,\n"
        ",,X Y,,,,\n"
        "r-4,,X Y,,,,tomorrow\n"
        "r-5,short\n\n"
    ).encode()
    rows = list(read(table, "csv"))
    assert rows[0].entity.role == "SUSP"
    assert rows[0].entity.values("name") == ("Yasser Tazeghart", "Jasser Tasgart", "ياسر تازغارت")
    assert rows[0].provenance.erase_on == "2027-01-01"
    assert [(r.where, r.code) for r in rows[1:]] == [
        ("line 3", "entity.role_unknown"),
        ("line 4", "date.malformed"),
        ("line 5", "source.reference_missing"),
        ("line 6", "date.malformed"),
        ("line 7", "source.columns"),
    ]


@pytest.mark.parametrize(
    ("header", "code", "field"),
    [
        (b"", "source.header_missing", "header"),
        (b"name,phone\n", "source.header_missing", "reference"),
        (b"reference,name,name\n", "source.header_twice", "header"),
        (b"reference,born\n", "source.column_unknown", "column 2"),
        (b"reference,religion\n", "claim.special_category", "column 2"),
    ],
)
def test_a_wrong_header_refuses_the_table(header, code, field):
    with pytest.raises(Invalid) as caught:
        list(read(header, "csv"))
    assert (caught.value.code, caught.value.field) == (code, field)


def test_an_unknown_format_is_refused_by_name():
    with pytest.raises(Invalid) as caught:
        read(b"", "excel")
    assert caught.value.code == "source.format"
