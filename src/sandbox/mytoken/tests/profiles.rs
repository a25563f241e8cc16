//! Profiles and templates as a client reads and names them, and what discovery says of what is off.

use super::*;

impl Rig {
    async fn get(&self, path: &str) -> (u16, Value) {
        let response = self.client.get(format!("{}{path}", self.base)).send().await.expect("an answer");
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }
}

#[tokio::test]
async fn the_default_group_is_read_with_times_counted_from_now() {
    let rig = Rig::start().await;
    assert_eq!(rig.get("/api/v0/pt").await, (200, json!(["_", "demo"])));
    let (_, before) = rig.get("/api/v0/pt/restrictions").await;
    assert_eq!((&before[0]["name"], &before[0]["payload"]), (&json!("1d"), &json!([{"exp": 1_800_086_400}])));
    rig.wait(60);
    let (_, after) = rig.get("/api/v0/pt/_/restrictions").await;
    assert_eq!((&after[0]["id"], &after[0]["payload"]), (&before[0]["id"], &json!([{"exp": 1_800_086_460}])));
    assert_eq!(rig.get("/api/v0/pt/nosuch/profiles").await, (200, Value::Null));
    assert_eq!(rig.get("/api/v0/pt/nosuch").await.0, 404);
}

#[tokio::test]
async fn one_template_that_cannot_be_evaluated_spoils_its_whole_list() {
    let broken = Template::new("_", Kind::Profiles, "broken", json!({"restrictions": "gone"}));
    let rig = Rig::set_up(|settings| settings.templates.push(broken)).await;
    let (status, answer) = rig.get("/api/v0/pt/profiles").await;
    assert_eq!((status, &answer["error_description"]), (500, &json!("unknown include name: 'gone'")));
    assert_eq!(rig.get("/api/v0/pt/rotation").await.0, 200);
}

#[tokio::test]
async fn a_login_that_names_a_profile_ends_in_what_the_profile_says() {
    let rig = Rig::start().await;
    let login = rig.start_login(json!({"include": "web", "capabilities": ["create_mytoken"]})).await;
    assert_eq!(rig.decide(&login, "approve").await, 200);
    let (status, given) = rig.poll(&login["polling_code"]).await;
    assert_eq!((status, &given["capabilities"]), (200, &json!(["create_mytoken", "AT", "tokeninfo"])));
    let clause = json!({"exp": 1_800_086_400, "hosts": ["127.0.0.1"], "usages_AT": 15});
    assert_eq!(given["restrictions"], json!([clause]));
}

#[tokio::test]
async fn discovery_names_what_is_on_and_the_address_of_profiles_even_if_they_are_off() {
    let rig = Rig::set_up(|settings| {
        settings.actions = vec!["introspect".to_owned(), "subtokens".to_owned()];
        settings.profiles = false;
        settings.short_tokens = false;
        settings.transfer_codes = false;
    })
    .await;
    let (_, document) = rig.get("/.well-known/mytoken-configuration").await;
    assert_eq!(document["tokeninfo_endpoint_actions_supported"], json!(["introspect", "subtokens"]));
    assert_eq!(
        document["mytoken_endpoint_grant_types_supported"],
        json!(["oidc_flow", "mytoken", "polling_code"])
    );
    assert_eq!(document["response_types_supported"], json!(["token"]));
    assert_eq!(document.get("token_transfer_endpoint"), None);
    assert_eq!(document["profiles_endpoint"], format!("{}/api/v0/pt", rig.base));
    assert_eq!(rig.get("/api/v0/pt").await.0, 404);
}

#[tokio::test]
async fn a_server_without_any_tokeninfo_action_has_no_such_endpoint() {
    let rig = Rig::set_up(|settings| settings.actions.clear()).await;
    let (_, document) = rig.get("/.well-known/mytoken-configuration").await;
    assert_eq!(document.get("tokeninfo_endpoint"), None);
    let issued = rig.issue(Order::default());
    assert_eq!(rig.introspect(issued.mytoken.expose()).await.0, 404);
}
